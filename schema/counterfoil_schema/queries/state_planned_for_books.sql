-- What is planned for the books and has not gone out: how many of what, and what they come to by currency.
select
    intent.operation,
    intent.entity,
    intent.currency,
    count(*) as documents,
    sum(intent.amount) as amount
from counterfoil_state.intents as intent
where intent.company = $1 and intent.state in ('ready', 'held') and intent.target = 'quickbooks'
group by intent.operation, intent.entity, intent.currency
order by intent.operation, intent.entity, intent.currency
