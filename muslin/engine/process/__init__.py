"""Processes: started, limited, ended."""
