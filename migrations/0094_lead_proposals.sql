-- What a model proposes for the qualification of a lead: nothing of it is the lead's until a person says so.

alter table ai_runs drop constraint ai_runs_purpose_check;
alter table ai_runs add constraint ai_runs_purpose_check
    check (purpose in ('answer', 'compose', 'suggest', 'rewrite', 'learn', 'transcribe', 'sentiment', 'summary', 'category', 'embed', 'qualify'));

create table lead_proposals (
    id         uuid primary key,
    company_id uuid not null default app.company_id() references companies,
    lead_id    uuid not null,
    run_id     uuid not null,
    -- Whose sight it was made with: its quotes are theirs to read.
    asked_by   uuid not null,
    -- Fields of the qualification with their values.
    proposed   jsonb not null,
    -- Of which words each is taken: {field, message_id, interaction_id, quote}.
    quotes     jsonb not null,
    -- What the model said besides, which does not stand where it said.
    dropped    integer not null check (dropped >= 0),
    created_at timestamptz not null default now(),
    unique (company_id, id),
    unique (company_id, run_id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    foreign key (company_id, run_id) references ai_runs (company_id, id),
    foreign key (company_id, asked_by) references memberships (company_id, user_id)
);
create index lead_proposals_lead on lead_proposals (company_id, lead_id, created_at, id);
call app.protect('lead_proposals', '');
revoke update, delete on lead_proposals from app_system;
