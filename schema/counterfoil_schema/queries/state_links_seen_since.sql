-- Links whose document was seen after a position, by record key, after one of them.
select to_jsonb(link)
from counterfoil_state.links as link
where link.company = $1 and link.latest > $2 and link.record_key collate "C" > $3
order by link.record_key collate "C"
limit $4
