-- Rows of intents by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (intent_id)
join counterfoil_state.intents as found
    on found.company = $1 and found.intent_id = asked.intent_id
