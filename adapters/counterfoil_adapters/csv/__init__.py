"""Any folder of CSV files, read by a mapping: see README.md beside this file."""
