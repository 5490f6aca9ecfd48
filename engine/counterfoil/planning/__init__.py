"""Decides what a change asks for: pure functions of record, mapping and state. No clock, no network, no database.

Where to look: `types` is the contract with the dispatcher; `mapping` and `sections` are the file that people write;
`plan` leads to one module per kind of record, which all end in `outcome.carry`; `compose` makes the body that is
sent, with `merge` and `lines` for updates; `inbound` judges what QuickBooks shows, with `settlements` for money and
`write_back` for what the source is told. `examples` holds a mapping for each source.
"""
