"""The commented configuration that `counterfoil init` writes."""

CONFIGURATION = """\
# Counterfoil's configuration. Secrets are named, not written down: "env:NAME" reads an environment variable,
# "file:PATH" a file (paths count from this folder).

# home = ".counterfoil"                  # embedded Postgres, master key, crash reports
# dsn = "env:BOOKS_DSN"                  # a Postgres of your own (15 or newer); COUNTERFOIL_DSN does the same
# public_url = "https://books.example"   # under which webhooks arrive, if a proxy stands in between

# One table for each set of books. The number is yours, and is for ever.
[company.1]
name = "Example Ltd"
zone = "America/New_York"                # of accounting dates, unless a mapping names another
currency = "USD"

[company.1.quickbooks]
environment = "sandbox"                  # "sandbox", "production", or "emulator" with its base_url
# realm_id = "0000000000000000"          # the company id, to admit no other; else pinned at the first connection
client_id = "env:QUICKBOOKS_CLIENT_ID"   # from the app's page at developer.intuit.com
client_secret = "env:QUICKBOOKS_CLIENT_SECRET"
verifier_token = "env:QUICKBOOKS_VERIFIER_TOKEN"  # of webhooks; POST /webhooks/quickbooks

# To try it without Intuit: run `counterfoil emulator quickbooks --json` and put what it prints here instead:
# environment = "emulator"
# base_url = "http://127.0.0.1:PORT"

{source}"""
"""`{source}` stands for one of the tables below."""

SOURCES = {
    "csv": """\
[company.1.source.files]
adapter = "csv"
mapping = "csv.toml"                     # what its records become; check it with `counterfoil mapping check`
folder = "exports"                       # customers.csv, orders.csv and so on, as the mapping names them
""",
    "hubspot": """\
[company.1.source.hubspot]
adapter = "hubspot"
mapping = "hubspot.toml"                 # what its records become; check it with `counterfoil mapping check`
access_token = "env:HUBSPOT_TOKEN"       # a service key; its scopes: adapters/counterfoil_adapters/hubspot/README.md
# Or an OAuth app, which has webhooks too, at /webhooks/sources/1/hubspot:
# client_id = "your-client-id"
# client_secret = "env:HUBSPOT_CLIENT_SECRET"
# refresh_token = "env:HUBSPOT_REFRESH_TOKEN"
""",
    "bamboohr": """\
[company.1.source.bamboohr]
adapter = "bamboohr"
mapping = "bamboohr.toml"                # what its records become; check it with `counterfoil mapping check`
company_domain = "your-company"          # the part before .bamboohr.com
api_key = "env:BAMBOOHR_API_KEY"         # of a user whose access level shows names, job and time
# webhook_key = "env:BAMBOOHR_WEBHOOK_KEY"  # signs webhooks; they go to /webhooks/sources/1/bamboohr
# compensation = true                    # read how people are paid, for [time] people = "hourly"
""",
    "gusto": """\
[company.1.source.gusto]
adapter = "gusto"
mapping = "gusto.toml"                   # what its records become; check it with `counterfoil mapping check`
company_uuid = "00000000-0000-0000-0000-000000000000"
client_id = "your-client-id"
client_secret = "env:GUSTO_CLIENT_SECRET"
refresh_token = "env:GUSTO_REFRESH_TOKEN"
# verification_token = "env:GUSTO_VERIFICATION_TOKEN"  # signs webhooks; they go to /webhooks/sources/1/gusto
""",
}
