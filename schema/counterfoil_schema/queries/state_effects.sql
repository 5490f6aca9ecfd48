-- What was written into the books and stands, oldest first, between two positions ($5: after, $6: up to): by one run ($2), of a source ($3 is how its keys begin), of some records ($4); null: of any.
select to_jsonb(found)
from counterfoil_state.intents as found
where
    found.company = $1
    and found.state = 'accepted'
    and found.target = 'quickbooks'
    and found.undone_by is null
    and ($2::text is null or found.run = $2::text)
    and ($3::text is null or starts_with(found.record_key, $3::text))
    and ($4::text [] is null or found.record_key = any($4::text []))
    and found.settled > $5
    and found.settled <= $6
order by found.settled, found.intent_id
limit $7
