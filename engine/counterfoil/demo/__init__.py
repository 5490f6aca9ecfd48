"""The demonstration: a sample company with figures fixed beforehand, faults on purpose, and a report that ties out."""
