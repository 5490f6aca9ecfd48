-- runs as: engine
--
-- Of an account, its AccountType: lines on receivables and payables have to name a customer or vendor.

alter table counterfoil_state.documents add column account_type text;
