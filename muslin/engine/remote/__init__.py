"""The shared store: stages that another machine built, taken over if a trusted key signed them."""
