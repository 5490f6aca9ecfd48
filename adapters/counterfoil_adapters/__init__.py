"""Source adapters for CRM, HR and files."""
