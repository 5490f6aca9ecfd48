-- runs as: engine
--
-- Records merged in QuickBooks: into which one a document went; and whose a document is that several records share.

alter table counterfoil_state.documents add column merged_into text;
alter table counterfoil_state.links add column shared_with text;
