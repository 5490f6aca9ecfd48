"""HubSpot as a source: companies, products and deals."""
