-- Source records that bear a document number, as planned or as linked.
select found.record_key from counterfoil_state.links as found where found.company = $1 and found.doc_number = $2
union
select found.record_key from counterfoil_state.intents as found where found.company = $1 and found.doc_number = $2
order by 1
limit 20
