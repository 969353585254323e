"""What a run leaves for a forge: annotations, a summary, SARIF and a code quality report."""
