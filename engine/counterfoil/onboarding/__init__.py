"""The first day in existing books: what there stands for which records of a source, and who else posts."""
