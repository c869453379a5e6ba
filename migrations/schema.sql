-- The schema after all migrations. Made from the database; do not edit.

-- extensions

create extension btree_gin;
create extension btree_gist;
create extension pg_trgm;
create extension unaccent;

-- roles

role app login noinherit member of app_staff, app_student, app_system;
role app_lookup nologin;
role app_staff nologin;
role app_student nologin;
role app_system nologin;

-- schemas

create schema app;

-- tables

create table public.access_log (
    id bigint not null generated always as identity,
    company_id uuid not null default app.company_id(),
    at timestamp with time zone not null default now(),
    user_id uuid,
    action text not null,
    target text not null,
    ip text,
    request_id text
);
alter table public.access_log enable row level security;
alter table public.access_log force row level security;

create table public.address_book_names (
    company_id uuid not null default app.company_id(),
    number text not null,
    name text not null,
    at timestamp with time zone not null,
    received_at timestamp with time zone not null default now()
);
alter table public.address_book_names enable row level security;
alter table public.address_book_names force row level security;

create table public.ai_days (
    company_id uuid not null default app.company_id(),
    day date not null,
    tokens bigint not null default 0,
    cost bigint not null default 0,
    runs integer not null default 0,
    refused integer not null default 0
);
alter table public.ai_days enable row level security;
alter table public.ai_days force row level security;

create table public.ai_runs (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    purpose text not null,
    prompt text not null,
    model text not null,
    status text not null default 'running'::text,
    reason text,
    conversation_id uuid,
    user_id uuid,
    day date not null,
    claimed_tokens integer not null,
    input_tokens integer,
    output_tokens integer,
    cost bigint,
    took_ms integer,
    sources uuid[] not null default '{}'::uuid[],
    confidence real,
    feedback text,
    feedback_note text,
    created_at timestamp with time zone not null default now(),
    settled_at timestamp with time zone,
    claimed_cost bigint not null default 0,
    work uuid
);
alter table public.ai_runs enable row level security;
alter table public.ai_runs force row level security;

create table public.audit_log (
    id bigint not null generated always as identity,
    company_id uuid not null default app.company_id(),
    at timestamp with time zone not null default now(),
    user_id uuid,
    action text not null,
    target text,
    before jsonb,
    after jsonb,
    ip text,
    user_agent text,
    request_id text
);
alter table public.audit_log enable row level security;
alter table public.audit_log force row level security;

create table public.bot_config (
    company_id uuid not null default app.company_id(),
    key text not null,
    value jsonb not null,
    description text,
    is_active boolean not null default true,
    updated_at timestamp with time zone not null default now()
);
alter table public.bot_config enable row level security;
alter table public.bot_config force row level security;

create table public.bot_flows (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    key text not null,
    number integer not null default 1,
    definition jsonb not null,
    published_at timestamp with time zone,
    name text not null default ''::text,
    author_id uuid,
    restored_from integer,
    updated_at timestamp with time zone not null default now(),
    version integer not null default 1,
    removed_at timestamp with time zone
);
alter table public.bot_flows enable row level security;
alter table public.bot_flows force row level security;

create table public.bot_steps (
    id bigint not null generated always as identity,
    company_id uuid not null default app.company_id(),
    conversation_id uuid not null,
    bot_flow_id uuid not null,
    turn integer not null,
    node text not null,
    outcome text not null,
    said text,
    at timestamp with time zone not null default now()
);
alter table public.bot_steps enable row level security;
alter table public.bot_steps force row level security;

create table public.botconversa_subscribers (
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    subscriber_id text not null,
    tags text[] not null default '{}'::text[],
    fields jsonb not null default '{}'::jsonb,
    shown text,
    synced_at timestamp with time zone not null default now()
);
alter table public.botconversa_subscribers enable row level security;
alter table public.botconversa_subscribers force row level security;

create table public.calendars (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    department_id uuid,
    time_zone text,
    week jsonb,
    keeps_optional boolean not null,
    version integer not null default 1,
    updated_at timestamp with time zone not null default now()
);
alter table public.calendars enable row level security;
alter table public.calendars force row level security;

create table public.channel_accounts (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    kind text not null,
    name text not null,
    external_key text not null,
    status text not null default 'active'::text,
    department_id uuid,
    bot_flow_id uuid,
    settings jsonb not null default '{}'::jsonb,
    created_at timestamp with time zone not null default now(),
    version integer not null default 1,
    account_key text,
    display_number text,
    state text,
    removed_at timestamp with time zone,
    previous_key text,
    previous_key_until timestamp with time zone,
    history jsonb,
    instance_id text
);
alter table public.channel_accounts enable row level security;
alter table public.channel_accounts force row level security;

create table public.channel_credentials (
    channel_account_id uuid not null,
    company_id uuid not null default app.company_id(),
    sealed bytea not null
);
alter table public.channel_credentials enable row level security;
alter table public.channel_credentials force row level security;

create table public.channel_members (
    company_id uuid not null default app.company_id(),
    channel_id uuid not null,
    user_id uuid not null,
    is_manager boolean not null default false,
    read_place bigint not null default 0,
    level text not null default 'all'::text,
    is_muted boolean not null default false,
    muted_until timestamp with time zone,
    is_favorite boolean not null default false,
    is_hidden boolean not null default false,
    draft text not null default ''::text,
    drafted_at timestamp with time zone,
    added_by_id uuid,
    joined_at timestamp with time zone not null default now()
);
alter table public.channel_members enable row level security;
alter table public.channel_members force row level security;

create table public.channel_notices (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    code text not null,
    text text not null,
    content jsonb not null,
    at timestamp with time zone not null,
    created_at timestamp with time zone not null default now()
);
alter table public.channel_notices enable row level security;
alter table public.channel_notices force row level security;

create table public.channels (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    kind text not null,
    name text,
    name_key text,
    topic text not null default ''::text,
    is_announcement boolean not null default false,
    is_general boolean not null default false,
    members_key text,
    last_place bigint not null default 0,
    last_message_at timestamp with time zone,
    created_by_id uuid,
    archived_at timestamp with time zone,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now()
);
alter table public.channels enable row level security;
alter table public.channels force row level security;

create table public.chat_mentions (
    company_id uuid not null,
    user_id uuid not null,
    message_id uuid not null,
    channel_id uuid not null,
    root_id uuid,
    place bigint,
    thread_place bigint,
    way text not null,
    at timestamp with time zone not null default clock_timestamp()
);
alter table public.chat_mentions enable row level security;
alter table public.chat_mentions force row level security;

create table public.chat_message_files (
    company_id uuid not null,
    file_id uuid not null,
    message_id uuid not null
);
alter table public.chat_message_files enable row level security;
alter table public.chat_message_files force row level security;

create table public.chat_message_revisions (
    company_id uuid not null,
    message_id uuid not null,
    revision integer not null,
    body text not null,
    replaced_at timestamp with time zone not null default now(),
    replaced_by_id uuid not null
);
alter table public.chat_message_revisions enable row level security;
alter table public.chat_message_revisions force row level security;

create table public.chat_messages (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    channel_id uuid not null,
    root_id uuid,
    place bigint,
    thread_place bigint,
    is_in_channel boolean not null,
    author_id uuid not null default app.user_id(),
    client_message_id text,
    body text not null,
    mentions jsonb not null default '{}'::jsonb,
    quote_id uuid,
    forwarded_from_id uuid,
    forwarded_author_id uuid,
    cards jsonb not null default '[]'::jsonb,
    file_ids uuid[] not null default '{}'::uuid[],
    reply_count bigint not null default 0,
    last_reply_at timestamp with time zone,
    revision integer not null default 1,
    created_at timestamp with time zone not null default clock_timestamp(),
    edited_at timestamp with time zone,
    deleted_at timestamp with time zone,
    deleted_by_id uuid
);
alter table public.chat_messages enable row level security;
alter table public.chat_messages force row level security;

create table public.chat_pins (
    company_id uuid not null default app.company_id(),
    channel_id uuid not null,
    message_id uuid not null,
    pinned_by_id uuid not null default app.user_id(),
    pinned_at timestamp with time zone not null default now()
);
alter table public.chat_pins enable row level security;
alter table public.chat_pins force row level security;

create table public.chat_reactions (
    company_id uuid not null default app.company_id(),
    message_id uuid not null,
    emoji text not null,
    user_id uuid not null default app.user_id(),
    at timestamp with time zone not null default clock_timestamp()
);
alter table public.chat_reactions enable row level security;
alter table public.chat_reactions force row level security;

create table public.chat_thread_followers (
    company_id uuid not null default app.company_id(),
    root_id uuid not null,
    channel_id uuid not null,
    user_id uuid not null default app.user_id(),
    is_following boolean not null default true,
    read_place bigint not null default 0,
    has_chosen boolean not null default false
);
alter table public.chat_thread_followers enable row level security;
alter table public.chat_thread_followers force row level security;

create table public.client_consents (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    purpose text not null,
    channel text not null,
    granted boolean not null,
    source text not null,
    at timestamp with time zone not null,
    proof jsonb not null,
    created_at timestamp with time zone not null default now()
);
alter table public.client_consents enable row level security;
alter table public.client_consents force row level security;

create table public.client_fields (
    company_id uuid not null default app.company_id(),
    fields jsonb not null default '[]'::jsonb,
    kinds jsonb not null default '{}'::jsonb,
    version integer not null default 0
);
alter table public.client_fields enable row level security;
alter table public.client_fields force row level security;

create table public.client_files (
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    file_id uuid not null,
    added_by uuid not null default app.user_id(),
    added_at timestamp with time zone not null default now(),
    moved_from uuid[] not null default '{}'::uuid[]
);
alter table public.client_files enable row level security;
alter table public.client_files force row level security;

create table public.client_identities (
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    kind text not null,
    value text not null,
    address text not null,
    created_at timestamp with time zone not null default now(),
    seen_at timestamp with time zone not null default now(),
    checked_at timestamp with time zone
);
alter table public.client_identities enable row level security;
alter table public.client_identities force row level security;

create table public.client_import_rows (
    company_id uuid not null default app.company_id(),
    import_id uuid not null,
    client_id uuid not null,
    number bigint not null,
    before jsonb,
    after jsonb not null,
    is_undone boolean not null default false
);
alter table public.client_import_rows enable row level security;
alter table public.client_import_rows force row level security;

create table public.client_imports (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    file_id uuid not null,
    file_name text not null,
    started_by uuid default app.user_id(),
    on_existing text not null,
    is_dry_run boolean not null,
    mapping jsonb,
    state text not null default 'going'::text,
    fault text,
    headers text[],
    made integer not null default 0,
    updated integer not null default 0,
    skipped integer not null default 0,
    failed integer not null default 0,
    errors jsonb not null default '[]'::jsonb,
    error_count integer not null default 0,
    created_at timestamp with time zone not null default now(),
    finished_at timestamp with time zone,
    undo_job_id uuid,
    undone_by uuid,
    undone_at timestamp with time zone,
    removed integer not null default 0,
    restored integer not null default 0,
    kept integer not null default 0
);
alter table public.client_imports enable row level security;
alter table public.client_imports force row level security;

create table public.client_merges (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    merged_client_id uuid not null,
    proof jsonb not null,
    undo jsonb not null,
    at timestamp with time zone not null default now(),
    by_user_id uuid default app.user_id(),
    undone_at timestamp with time zone,
    undone_by_id uuid
);
alter table public.client_merges enable row level security;
alter table public.client_merges force row level security;

create table public.clients (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    name text not null,
    document text,
    email text,
    tags text[] not null default '{}'::text[],
    custom_fields jsonb not null default '{}'::jsonb,
    created_at timestamp with time zone not null default now(),
    version integer not null default 1,
    name_source text not null default 'staff'::text,
    name_told_at timestamp with time zone,
    metadata jsonb not null default '{}'::jsonb,
    merged_into_id uuid,
    archived_at timestamp with time zone,
    blocked_at timestamp with time zone,
    blocked_count integer not null default 0
);
alter table public.clients enable row level security;
alter table public.clients force row level security;

create table public.companies (
    id uuid not null,
    name text not null,
    slug text not null,
    time_zone text not null default 'America/Sao_Paulo'::text,
    locale text not null default 'pt-BR'::text,
    agent_visibility text not null default 'department'::text,
    reopen_window integer not null default 86400,
    feature_flags jsonb not null default '{}'::jsonb,
    created_at timestamp with time zone not null default now(),
    takeover_text text,
    front_end_url text,
    two_factor_policy text[] not null default '{}'::text[],
    idle_minutes integer,
    bot_enabled boolean not null default true,
    coin_name text not null default 'moedas'::text,
    colour text not null default '#2563eb'::text,
    founded_by uuid,
    version integer not null default 1,
    signs_messages boolean not null default false,
    asks_rating boolean not null default false,
    rating_text text,
    breaks jsonb not null default '[{"name": "Almoço", "reason": "lunch", "limit_minutes": 60}, {"name": "Descanso", "reason": "rest", "limit_minutes": 15}, {"name": "Banheiro", "reason": "bathroom", "limit_minutes": 10}, {"name": "Treinamento", "reason": "training", "limit_minutes": null}, {"name": "Outro", "reason": "other", "limit_minutes": null}]'::jsonb,
    push_shows_text boolean not null default true
);
alter table public.companies enable row level security;
alter table public.companies force row level security;

create table public.company_emoji (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    name text not null,
    file_id uuid not null,
    created_by_id uuid not null default app.user_id(),
    created_at timestamp with time zone not null default now()
);
alter table public.company_emoji enable row level security;
alter table public.company_emoji force row level security;

create table public.company_secrets (
    company_id uuid not null default app.company_id(),
    name text not null,
    sealed bytea not null
);
alter table public.company_secrets enable row level security;
alter table public.company_secrets force row level security;

create table public.company_setup (
    company_id uuid not null default app.company_id(),
    ai_base_url text,
    ai_model text,
    ai_key_hint text,
    made text[] not null default '{}'::text[],
    version integer not null default 0
);
alter table public.company_setup enable row level security;
alter table public.company_setup force row level security;

create table public.conversation_handlers (
    company_id uuid not null default app.company_id(),
    conversation_id uuid not null,
    user_id uuid not null
);
alter table public.conversation_handlers enable row level security;
alter table public.conversation_handlers force row level security;

create table public.conversation_insights (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    conversation_id uuid not null,
    kind text not null,
    value text not null,
    score real,
    confidence real,
    run_id uuid not null,
    message_id uuid,
    created_at timestamp with time zone not null default now()
);
alter table public.conversation_insights enable row level security;
alter table public.conversation_insights force row level security;

create table public.conversation_preferences (
    company_id uuid not null default app.company_id(),
    user_id uuid not null default app.user_id(),
    conversation_id uuid not null,
    muted_until timestamp with time zone,
    moved_from uuid[] not null default '{}'::uuid[]
);
alter table public.conversation_preferences enable row level security;
alter table public.conversation_preferences force row level security;

create table public.conversation_transfers (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    conversation_id uuid not null,
    from_user_id uuid,
    to_user_id uuid,
    from_department_id uuid,
    to_department_id uuid,
    by_user_id uuid,
    reason text,
    at timestamp with time zone not null default now()
);
alter table public.conversation_transfers enable row level security;
alter table public.conversation_transfers force row level security;

create table public.conversations (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    channel_account_id uuid not null,
    department_id uuid,
    assignee_id uuid,
    mode text not null,
    status text not null generated always as (
CASE
    WHEN (ended_at IS NOT NULL) THEN 'closed'::text
    WHEN (mode = 'bot'::text) THEN 'bot'::text
    WHEN (assignee_id IS NULL) THEN 'pending'::text
    ELSE 'active'::text
END) stored,
    priority text not null default 'normal'::text,
    tags text[] not null default '{}'::text[],
    subject text,
    version integer not null default 1,
    last_message_at timestamp with time zone not null default now(),
    last_message_preview text not null default ''::text,
    last_message_from text not null default 'client'::text,
    inbound_count integer not null default 0,
    read_count integer not null default 0,
    window_expires_at timestamp with time zone,
    first_human_at timestamp with time zone,
    started_at timestamp with time zone not null default now(),
    ended_at timestamp with time zone,
    close_reason text,
    bot_flow_id uuid,
    bot_node text,
    bot_fields jsonb not null default '{}'::jsonb,
    bot_answered integer not null default 0,
    bot_turns integer not null default 0,
    last_message_id uuid,
    metadata jsonb not null default '{}'::jsonb,
    first_pending_at timestamp with time zone,
    pending_since timestamp with time zone,
    merged_into_id uuid,
    revision integer not null default 1,
    held_count integer not null default 0,
    snoozed_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    return_to_bot_at timestamp with time zone,
    protocol text not null,
    participant_ids uuid[] not null default '{}'::uuid[],
    participants_lent uuid[],
    rating smallint,
    rated_at timestamp with time zone,
    rating_message_id uuid,
    imported_at timestamp with time zone,
    bot_misses integer not null default 0,
    bot_job_id uuid
);
alter table public.conversations enable row level security;
alter table public.conversations force row level security;

create table public.crm_conflicts (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    crm_id text not null,
    kind text not null,
    field text,
    agreed text,
    ours text,
    theirs text,
    created_at timestamp with time zone not null default now(),
    resolution text,
    resolved_at timestamp with time zone,
    resolved_by_id uuid
);
alter table public.crm_conflicts enable row level security;
alter table public.crm_conflicts force row level security;

create table public.crm_connections (
    company_id uuid not null default app.company_id(),
    id uuid not null,
    kind text not null,
    name text not null,
    base_url text,
    key_hint text not null,
    fields jsonb not null default '{}'::jsonb,
    status text not null default 'active'::text,
    read_until timestamp with time zone,
    synced_at timestamp with time zone,
    hinted_at timestamp with time zone,
    failures integer not null default 0,
    paused_until timestamp with time zone,
    last_error text,
    version integer not null default 1,
    created_at timestamp with time zone not null default now()
);
alter table public.crm_connections enable row level security;
alter table public.crm_connections force row level security;

create table public.crm_records (
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    crm_id text,
    agreed jsonb not null default '{}'::jsonb,
    lead_version integer not null default 0,
    asked_at timestamp with time zone,
    attempts integer not null default 0,
    refused text,
    pushed_at timestamp with time zone,
    archived_at timestamp with time zone,
    gone_at timestamp with time zone,
    came_with uuid
);
alter table public.crm_records enable row level security;
alter table public.crm_records force row level security;

create table public.department_members (
    company_id uuid not null default app.company_id(),
    department_id uuid not null,
    user_id uuid not null,
    capacity integer,
    last_assigned_at timestamp with time zone
);
alter table public.department_members enable row level security;
alter table public.department_members force row level security;

create table public.departments (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    name text not null,
    description text,
    created_at timestamp with time zone not null default now(),
    version integer not null default 1,
    deleted_at timestamp with time zone,
    moved_to_id uuid,
    assignment text not null default 'manual'::text,
    capacity integer not null default 5
);
alter table public.departments enable row level security;
alter table public.departments force row level security;

create table public.early_changes (
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    provider_id text not null,
    change_id text not null,
    kind text not null,
    changed_by text not null,
    body text not null,
    at timestamp with time zone not null,
    received_at timestamp with time zone not null default now(),
    phone text,
    user_id text
);
alter table public.early_changes enable row level security;
alter table public.early_changes force row level security;

create table public.early_statuses (
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    provider_id text not null,
    status text not null,
    error_code text,
    error_detail text,
    at timestamp with time zone not null,
    received_at timestamp with time zone not null default now()
);
alter table public.early_statuses enable row level security;
alter table public.early_statuses force row level security;

create table public.event_rules (
    type text not null,
    told_by text not null,
    is_private boolean not null default false
);
alter table public.event_rules enable row level security;
alter table public.event_rules force row level security;

create table public.events (
    tx xid8 not null default pg_current_xact_id(),
    id bigint not null generated always as identity,
    company_id uuid not null default app.company_id(),
    topic text not null,
    type text not null,
    audience text[],
    data jsonb not null,
    at timestamp with time zone not null default now()
) partition by RANGE (at);
alter table public.events enable row level security;
alter table public.events force row level security;

create table public.evolution_codes (
    channel_account_id uuid not null,
    company_id uuid not null default app.company_id(),
    qr_code text,
    pairing_code text,
    shown_at timestamp with time zone not null
);
alter table public.evolution_codes enable row level security;
alter table public.evolution_codes force row level security;

create table public.evolution_instances (
    channel_account_id uuid not null,
    company_id uuid not null default app.company_id(),
    made_at timestamp with time zone,
    webhook_at timestamp with time zone,
    server_version text,
    profile_name text,
    seen_at timestamp with time zone,
    told_at timestamp with time zone not null,
    problem text,
    detail text,
    down_told_at timestamp with time zone,
    next_at timestamp with time zone,
    spent_until timestamp with time zone,
    paced_conversation_id uuid
);
alter table public.evolution_instances enable row level security;
alter table public.evolution_instances force row level security;

create table public.external_api_usage (
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    provider_id text not null,
    category text not null,
    country text,
    amount numeric(14,6),
    currency text,
    at timestamp with time zone not null,
    created_at timestamp with time zone not null default now()
);
alter table public.external_api_usage enable row level security;
alter table public.external_api_usage force row level security;

create table public.feed_epochs (
    value text not null,
    system_identifier bigint not null,
    swept xid8 not null default '0'::xid8,
    started_at timestamp with time zone not null default now()
);
alter table public.feed_epochs enable row level security;
alter table public.feed_epochs force row level security;

create table public.files (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    conversation_id uuid,
    uploaded_by uuid,
    name text not null,
    mime_type text not null,
    size bigint not null,
    sha256 bytea,
    storage_key text not null,
    status text not null default 'pending'::text,
    failure text,
    width integer,
    height integer,
    duration_ms integer,
    provider_id text,
    created_at timestamp with time zone not null default now(),
    completed_at timestamp with time zone,
    purpose text not null default 'message'::text,
    prepared_at timestamp with time zone,
    thumb_key text,
    poster_key text,
    preview_type text,
    waveform smallint[]
);
alter table public.files enable row level security;
alter table public.files force row level security;

create table public.first_answers (
    company_id uuid not null,
    conversation_id uuid not null,
    user_id uuid not null,
    asked_at timestamp with time zone not null,
    answered_at timestamp with time zone not null
);
alter table public.first_answers enable row level security;
alter table public.first_answers force row level security;

create table public.followup_executions (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    sequence_id uuid not null,
    lead_id uuid not null,
    rotation integer not null default 0,
    status text not null default 'active'::text,
    current_step integer not null default 0,
    attempt integer not null default 1,
    next_run_at timestamp with time zone,
    job_id uuid,
    reason text,
    enrolled_by uuid default app.user_id(),
    started_at timestamp with time zone not null default now(),
    responded_at timestamp with time zone,
    finished_at timestamp with time zone
);
alter table public.followup_executions enable row level security;
alter table public.followup_executions force row level security;

create table public.followup_logs (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    execution_id uuid not null,
    at timestamp with time zone not null default clock_timestamp(),
    step integer,
    attempt integer,
    kind text,
    variant integer,
    outcome text not null,
    reason text,
    message_id uuid,
    mail_id uuid,
    task_id uuid,
    by_id uuid
);
alter table public.followup_logs enable row level security;
alter table public.followup_logs force row level security;

create table public.followup_optouts (
    company_id uuid not null default app.company_id(),
    kind text not null,
    value text not null,
    source text not null,
    at timestamp with time zone not null default now()
);
alter table public.followup_optouts enable row level security;
alter table public.followup_optouts force row level security;

create table public.followup_sequences (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    name text not null,
    description text not null default ''::text,
    is_active boolean not null default false,
    criteria jsonb not null default '{}'::jsonb,
    steps jsonb not null,
    window_start text not null,
    window_end text not null,
    weekdays text[] not null,
    pause_weekends boolean not null,
    pause_holidays boolean not null,
    max_per_day integer not null,
    channel_account_id uuid,
    created_by_id uuid not null default app.user_id(),
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    deleted_at timestamp with time zone
);
alter table public.followup_sequences enable row level security;
alter table public.followup_sequences force row level security;

create table public.holidays (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    department_id uuid,
    date date not null,
    name text not null,
    yearly boolean not null
);
alter table public.holidays enable row level security;
alter table public.holidays force row level security;

create table public.idempotency_keys (
    company_id uuid not null default app.company_id(),
    user_id uuid not null default app.user_id(),
    route text not null,
    key text not null,
    request_hash bytea not null,
    status integer,
    body jsonb,
    created_at timestamp with time zone not null default now()
);
alter table public.idempotency_keys enable row level security;
alter table public.idempotency_keys force row level security;

create table public.inbound_webhooks (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    source text not null,
    body bytea not null,
    outcome jsonb,
    failed_items integer not null default 0,
    received_at timestamp with time zone not null default now(),
    clients text[] not null default '{}'::text[],
    left_at timestamp with time zone,
    kinds text[] not null default '{}'::text[],
    applied_at timestamp with time zone
) partition by RANGE (received_at);
alter table public.inbound_webhooks enable row level security;
alter table public.inbound_webhooks force row level security;

create table public.integration_calls (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    channel_account_id uuid,
    provider text not null,
    operation text not null,
    status integer,
    error_code text,
    took_ms integer not null,
    at timestamp with time zone not null default now(),
    cost numeric(14,6),
    currency text
);
alter table public.integration_calls enable row level security;
alter table public.integration_calls force row level security;

create table public.integration_prices (
    company_id uuid not null default app.company_id(),
    currency text not null default 'BRL'::text,
    prices jsonb not null default '[]'::jsonb,
    version integer not null default 0,
    message_prices jsonb not null default '[]'::jsonb
);
alter table public.integration_prices enable row level security;
alter table public.integration_prices force row level security;

create table public.invites (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    email text not null,
    name text,
    role text not null,
    department_ids uuid[] not null default '{}'::uuid[],
    invited_by uuid not null default app.user_id(),
    created_at timestamp with time zone not null default now(),
    sent_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone not null default (now() + '7 days'::interval),
    revoked_at timestamp with time zone,
    used_at timestamp with time zone,
    user_id uuid
);
alter table public.invites enable row level security;
alter table public.invites force row level security;

create table public.job_progress (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    kind text not null,
    key text not null default ''::text,
    state text not null default 'queued'::text,
    done bigint not null default 0,
    failed bigint not null default 0,
    total bigint,
    place jsonb,
    result jsonb,
    reason text,
    started_by uuid default app.user_id(),
    created_at timestamp with time zone not null default now(),
    told_at timestamp with time zone not null default now(),
    finished_at timestamp with time zone
);
alter table public.job_progress enable row level security;
alter table public.job_progress force row level security;

create table public.job_rules (
    kind text not null,
    queue text not null,
    added_by text not null
);
alter table public.job_rules enable row level security;
alter table public.job_rules force row level security;

create table public.jobs (
    id uuid not null,
    number bigint not null generated always as identity,
    company_id uuid not null default app.company_id(),
    kind text not null,
    queue text not null,
    lane text not null,
    key text,
    payload jsonb not null,
    run_at timestamp with time zone not null default now(),
    dispatched_at timestamp with time zone,
    dispatches integer not null default 0,
    leased_until timestamp with time zone,
    attempts integer not null default 0,
    finished_at timestamp with time zone,
    failed boolean not null default false,
    last_error text,
    created_at timestamp with time zone not null default now(),
    retries integer not null default 0,
    retried_at timestamp with time zone
);
alter table public.jobs enable row level security;
alter table public.jobs force row level security;

create table public.knowledge_articles (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    title text not null,
    answer text not null,
    questions text[] not null default '{}'::text[],
    tags text[] not null default '{}'::text[],
    audience text not null default 'both'::text,
    status text not null default 'active'::text,
    valid_from timestamp with time zone,
    valid_until timestamp with time zone,
    source jsonb,
    lines text[] not null,
    terms text[] not null,
    weights real[] not null,
    author_id uuid default app.user_id(),
    restored_from integer,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    removed_at timestamp with time zone,
    title_key text not null generated always as (app.look(title)) stored,
    helped integer not null default 0,
    not_helped integer not null default 0,
    last_used_at timestamp with time zone
);
alter table public.knowledge_articles enable row level security;
alter table public.knowledge_articles force row level security;

create table public.knowledge_embeddings (
    company_id uuid not null default app.company_id(),
    article_id uuid not null,
    model text not null,
    version integer not null,
    signs bit varying not null,
    embedding real[] not null
);
alter table public.knowledge_embeddings enable row level security;
alter table public.knowledge_embeddings force row level security;

create table public.knowledge_import_rows (
    company_id uuid not null default app.company_id(),
    import_id uuid not null,
    article_id uuid not null,
    version integer not null,
    is_undone boolean not null default false
);
alter table public.knowledge_import_rows enable row level security;
alter table public.knowledge_import_rows force row level security;

create table public.knowledge_misses (
    id bigint not null generated always as identity,
    company_id uuid not null default app.company_id(),
    query text not null,
    terms text[] not null,
    audience text not null,
    score real not null,
    at timestamp with time zone not null default now()
);
alter table public.knowledge_misses enable row level security;
alter table public.knowledge_misses force row level security;

create table public.knowledge_proposals (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    kind text not null,
    state text not null default 'open'::text,
    evidence_key text not null,
    evidence jsonb not null,
    article_id uuid,
    article_version integer,
    other_id uuid,
    other_version integer,
    draft jsonb,
    result_id uuid,
    decided_by uuid,
    decided_at timestamp with time zone,
    created_at timestamp with time zone not null default now()
);
alter table public.knowledge_proposals enable row level security;
alter table public.knowledge_proposals force row level security;

create table public.knowledge_revisions (
    company_id uuid not null,
    article_id uuid not null,
    version integer not null,
    title text not null,
    answer text not null,
    questions text[] not null,
    tags text[] not null,
    audience text not null,
    status text not null,
    valid_from timestamp with time zone,
    valid_until timestamp with time zone,
    author_id uuid,
    restored_from integer,
    at timestamp with time zone not null default now()
);
alter table public.knowledge_revisions enable row level security;
alter table public.knowledge_revisions force row level security;

create table public.knowledge_synonyms (
    company_id uuid not null default app.company_id(),
    groups jsonb not null default '[]'::jsonb,
    phrases jsonb not null default '{}'::jsonb,
    version integer not null default 0
);
alter table public.knowledge_synonyms enable row level security;
alter table public.knowledge_synonyms force row level security;

create table public.knowledge_terms (
    company_id uuid not null,
    term text not null,
    article_id uuid not null,
    weight real not null,
    audience text not null,
    valid_from timestamp with time zone,
    valid_until timestamp with time zone
);
alter table public.knowledge_terms enable row level security;
alter table public.knowledge_terms force row level security;

create table public.knowledge_uses (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    article_id uuid not null,
    user_id uuid default app.user_id(),
    conversation_id uuid,
    helped boolean,
    query text,
    created_at timestamp with time zone not null default now()
);
alter table public.knowledge_uses enable row level security;
alter table public.knowledge_uses force row level security;

create table public.knowledge_vocabulary (
    company_id uuid not null,
    term text not null
);
alter table public.knowledge_vocabulary enable row level security;
alter table public.knowledge_vocabulary force row level security;

create table public.known_devices (
    user_id uuid not null,
    device text not null,
    network text not null,
    first_at timestamp with time zone not null default now(),
    last_seen_at timestamp with time zone not null default now()
);
alter table public.known_devices enable row level security;
alter table public.known_devices force row level security;

create table public.lead_automations (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    entry_id uuid not null,
    place integer not null,
    lead_id uuid not null,
    automation jsonb not null,
    outcome text,
    reason text,
    message_id uuid,
    task_id uuid,
    execution_id uuid,
    at timestamp with time zone
);
alter table public.lead_automations enable row level security;
alter table public.lead_automations force row level security;

create table public.lead_changes (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    by_id uuid,
    at timestamp with time zone not null default clock_timestamp(),
    changes jsonb not null
);
alter table public.lead_changes enable row level security;
alter table public.lead_changes force row level security;

create table public.lead_fields (
    company_id uuid not null default app.company_id(),
    fields jsonb not null default '[]'::jsonb,
    kinds jsonb not null default '{}'::jsonb,
    version integer not null default 0
);
alter table public.lead_fields enable row level security;
alter table public.lead_fields force row level security;

create table public.lead_import_rows (
    company_id uuid not null default app.company_id(),
    import_id uuid not null,
    lead_id uuid not null,
    number bigint not null,
    before jsonb,
    after jsonb,
    is_undone boolean not null default false
);
alter table public.lead_import_rows enable row level security;
alter table public.lead_import_rows force row level security;

create table public.lead_imports (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    file_id uuid not null,
    file_name text not null,
    started_by uuid default app.user_id(),
    on_existing text not null,
    is_dry_run boolean not null,
    pipeline_id uuid not null,
    stage_id uuid not null,
    closer_id uuid,
    mapping jsonb,
    state text not null default 'going'::text,
    fault text,
    headers text[],
    made integer not null default 0,
    updated integer not null default 0,
    skipped integer not null default 0,
    failed integer not null default 0,
    errors jsonb not null default '[]'::jsonb,
    error_count integer not null default 0,
    created_at timestamp with time zone not null default now(),
    finished_at timestamp with time zone,
    undo_job_id uuid,
    undone_by uuid,
    undone_at timestamp with time zone,
    removed integer not null default 0,
    restored integer not null default 0,
    kept integer not null default 0
);
alter table public.lead_imports enable row level security;
alter table public.lead_imports force row level security;

create table public.lead_interactions (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    author_id uuid default app.user_id(),
    source text not null default 'person'::text,
    type text not null,
    summary text not null,
    details text,
    result text not null,
    next_step text,
    at timestamp with time zone not null default now(),
    day date,
    created_at timestamp with time zone not null default now()
);
alter table public.lead_interactions enable row level security;
alter table public.lead_interactions force row level security;

create table public.lead_merges (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    merged_id uuid not null,
    by_id uuid not null default app.user_id(),
    at timestamp with time zone not null default now(),
    undo jsonb not null,
    undone_at timestamp with time zone,
    undone_by_id uuid
);
alter table public.lead_merges enable row level security;
alter table public.lead_merges force row level security;

create table public.lead_proposals (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    run_id uuid not null,
    asked_by uuid not null,
    proposed jsonb not null,
    quotes jsonb not null,
    dropped integer not null,
    created_at timestamp with time zone not null default now()
);
alter table public.lead_proposals enable row level security;
alter table public.lead_proposals force row level security;

create table public.lead_scoring (
    company_id uuid not null default app.company_id(),
    version integer not null,
    rules jsonb not null,
    author_id uuid not null default app.user_id(),
    created_at timestamp with time zone not null default now()
);
alter table public.lead_scoring enable row level security;
alter table public.lead_scoring force row level security;

create table public.lead_stages (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    lead_id uuid not null,
    pipeline_id uuid not null,
    stage_id uuid not null,
    stage_name text not null,
    stage_kind text not null,
    by_id uuid,
    entered_at timestamp with time zone not null default now(),
    left_at timestamp with time zone
);
alter table public.lead_stages enable row level security;
alter table public.lead_stages force row level security;

create table public.leads (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    pipeline_id uuid not null,
    stage_id uuid not null,
    rank numeric not null,
    status text not null default 'open'::text,
    furthest_stage_id uuid,
    name text not null,
    email text,
    phone text,
    organisation text,
    job_title text,
    origin text,
    campaign text,
    closer_id uuid,
    sdr_id uuid,
    potential_value numeric(14,2),
    expected_close date,
    tags text[] not null default '{}'::text[],
    custom_fields jsonb not null default '{}'::jsonb,
    client_id uuid,
    crm_id text,
    budget_confirmed boolean,
    budget_amount numeric(14,2),
    authority_level text,
    need_level text,
    decides_by date,
    qualification jsonb not null default '{}'::jsonb,
    qualification_score integer not null default 0,
    score integer not null default 0,
    scored_by integer,
    scored_at timestamp with time zone not null default now(),
    temperature text not null default 'cold'::text,
    last_contact_at timestamp with time zone,
    entered_at timestamp with time zone not null default now(),
    closed_at timestamp with time zone,
    close_reason text,
    value numeric(14,2),
    version integer not null default 1,
    created_by_id uuid,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    deleted_at timestamp with time zone,
    merged_into_id uuid,
    moved_from uuid[] not null default '{}'::uuid[],
    replied_at timestamp with time zone,
    quick_reply_at timestamp with time zone
);
alter table public.leads enable row level security;
alter table public.leads force row level security;

create table public.login_challenges (
    token_hash bytea not null,
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    expires_at timestamp with time zone not null default (now() + '00:05:00'::interval)
);
alter table public.login_challenges enable row level security;
alter table public.login_challenges force row level security;

create table public.mail_accounts (
    company_id uuid not null default app.company_id(),
    host text not null,
    port integer not null,
    security text not null,
    username text,
    sealed bytea,
    from_address text not null,
    from_name text,
    version integer not null default 1,
    authority text
);
alter table public.mail_accounts enable row level security;
alter table public.mail_accounts force row level security;

create table public.mail_rules (
    template text not null,
    sent_by text not null
);
alter table public.mail_rules enable row level security;
alter table public.mail_rules force row level security;

create table public.mails (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    template text not null,
    to_address text not null,
    to_name text not null,
    locale text not null,
    link_purpose text,
    link_id uuid,
    data jsonb not null default '{}'::jsonb,
    state text not null default 'queued'::text,
    attempts integer not null default 0,
    reply text,
    created_at timestamp with time zone not null default now(),
    sent_at timestamp with time zone
);
alter table public.mails enable row level security;
alter table public.mails force row level security;

create table public.memberships (
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    role text not null,
    status text not null default 'active'::text,
    client_id uuid,
    created_at timestamp with time zone not null default now(),
    is_primary boolean not null default false,
    phone text,
    "position" text,
    closer_type text,
    avatar_file_id uuid,
    last_login_at timestamp with time zone,
    version integer not null default 1
);
alter table public.memberships enable row level security;
alter table public.memberships force row level security;

create table public.mentee_evolution_revisions (
    company_id uuid not null default app.company_id(),
    evolution_id uuid not null,
    version integer not null,
    figures jsonb not null,
    told_by uuid not null,
    told_at timestamp with time zone not null
);
alter table public.mentee_evolution_revisions enable row level security;
alter table public.mentee_evolution_revisions force row level security;

create table public.mentee_evolutions (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    mentee_id uuid not null,
    month date not null,
    revenue numeric(14,2) not null,
    profit numeric(14,2),
    team integer,
    leads integer,
    sales integer,
    notes text not null default ''::text,
    version integer not null default 1,
    entered_at timestamp with time zone not null default now(),
    entered_by uuid not null default app.user_id(),
    updated_at timestamp with time zone not null default now(),
    updated_by uuid not null default app.user_id()
);
alter table public.mentee_evolutions enable row level security;
alter table public.mentee_evolutions force row level security;

create table public.mentee_feedback (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    mentee_id uuid not null,
    date date not null,
    overall smallint,
    nps smallint,
    areas jsonb not null default '[]'::jsonb,
    text text not null default ''::text,
    author_id uuid not null default app.user_id(),
    created_at timestamp with time zone not null default now()
);
alter table public.mentee_feedback enable row level security;
alter table public.mentee_feedback force row level security;

create table public.mentees (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    mentor_id uuid not null,
    entry_month date not null,
    status text not null default 'active'::text,
    goals text not null default ''::text,
    target_revenue numeric(14,2),
    target_sales integer,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    moved_from uuid[] not null default '{}'::uuid[],
    merged_into_id uuid,
    status_before text,
    ended_with uuid
);
alter table public.mentees enable row level security;
alter table public.mentees force row level security;

create table public.message_templates (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    channel_account_id uuid not null,
    provider_id text not null,
    name text not null,
    language text not null,
    category text not null,
    status text not null,
    quality text,
    reason text,
    components jsonb not null,
    told_at timestamp with time zone not null,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now()
);
alter table public.message_templates enable row level security;
alter table public.message_templates force row level security;

create table public.messages (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    conversation_id uuid not null,
    channel_account_id uuid not null,
    sender_type text not null,
    sender_id uuid,
    kind text not null,
    body text not null default ''::text,
    payload jsonb not null default '{}'::jsonb,
    file_id uuid,
    reply_to_id uuid,
    provider_id text,
    client_message_id text,
    status text,
    error_code text,
    error_detail text,
    reactions jsonb not null default '[]'::jsonb,
    revisions jsonb not null default '[]'::jsonb,
    inbound_number integer,
    sent_at timestamp with time zone not null,
    created_at timestamp with time zone not null default now(),
    fence integer,
    sending_at timestamp with time zone,
    edited_at timestamp with time zone,
    deleted_at timestamp with time zone,
    came_by text,
    deleted_by_id uuid,
    change jsonb
);
alter table public.messages enable row level security;
alter table public.messages force row level security;

create table public.note_revisions (
    company_id uuid not null default app.company_id(),
    note_id uuid not null,
    version integer not null,
    text text not null,
    replaced_at timestamp with time zone not null default now(),
    replaced_by_id uuid not null default app.user_id()
);
alter table public.note_revisions enable row level security;
alter table public.note_revisions force row level security;

create table public.notes (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    client_id uuid not null,
    conversation_id uuid,
    author_id uuid not null default app.user_id(),
    text text not null,
    mention_ids uuid[] not null default '{}'::uuid[],
    is_pinned boolean not null default false,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    deleted_at timestamp with time zone,
    deleted_by_id uuid,
    moved_from uuid[] not null default '{}'::uuid[]
);
alter table public.notes enable row level security;
alter table public.notes force row level security;

create table public.notification_causes (
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    cause text not null,
    group_key text not null,
    source_id uuid,
    at timestamp with time zone not null default now()
);
alter table public.notification_causes enable row level security;
alter table public.notification_causes force row level security;

create table public.notification_heads (
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    revision bigint not null default 1
);
alter table public.notification_heads enable row level security;
alter table public.notification_heads force row level security;

create table public.notification_preferences (
    company_id uuid not null default app.company_id(),
    user_id uuid not null default app.user_id(),
    types jsonb not null default '{}'::jsonb,
    quiet_from time without time zone,
    quiet_until time without time zone,
    mails_after integer not null default 15,
    version integer not null default 1
);
alter table public.notification_preferences enable row level security;
alter table public.notification_preferences force row level security;

create table public.notification_types (
    type text not null,
    "position" smallint not null,
    caused_by text not null,
    sound text not null,
    on_screen boolean not null,
    rings boolean not null,
    by_mail boolean not null,
    by_push boolean not null,
    words jsonb not null
);
alter table public.notification_types enable row level security;
alter table public.notification_types force row level security;

create table public.notifications (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    type text not null,
    group_key text not null,
    count integer not null default 1,
    actor_id uuid,
    conversation_id uuid,
    channel_id uuid,
    client_id uuid,
    lead_id uuid,
    source_id uuid,
    facts jsonb not null default '{}'::jsonb,
    on_screen boolean not null,
    by_mail boolean not null,
    by_push boolean not null,
    created_at timestamp with time zone not null default now(),
    at timestamp with time zone not null default now(),
    rung_at timestamp with time zone,
    read_at timestamp with time zone,
    mailed_at timestamp with time zone,
    moved_from uuid[] not null default '{}'::uuid[]
);
alter table public.notifications enable row level security;
alter table public.notifications force row level security;

create table public.object_removals (
    storage_key text not null,
    company_id uuid not null default app.company_id(),
    due_at timestamp with time zone not null,
    begun_at timestamp with time zone
);
alter table public.object_removals enable row level security;
alter table public.object_removals force row level security;

create table public.password_resets (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    requested_by uuid,
    created_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone not null default (now() + '00:30:00'::interval),
    used_at timestamp with time zone
);
alter table public.password_resets enable row level security;
alter table public.password_resets force row level security;

create table public.pipelines (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    name text not null,
    department_id uuid,
    is_default boolean not null default false,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    archived_at timestamp with time zone
);
alter table public.pipelines enable row level security;
alter table public.pipelines force row level security;

create table public.presence_corrections (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    interval_id uuid not null,
    user_id uuid not null,
    by_id uuid not null default app.user_id(),
    note text not null,
    before jsonb,
    after jsonb not null,
    at timestamp with time zone not null default now()
);
alter table public.presence_corrections enable row level security;
alter table public.presence_corrections force row level security;

create table public.presence_intervals (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    started_at timestamp with time zone not null,
    ended_at timestamp with time zone not null,
    state text not null,
    reason text,
    cause text not null,
    end_cause text,
    version integer not null default 1
);
alter table public.presence_intervals enable row level security;
alter table public.presence_intervals force row level security;

create table public.presence_leases (
    connection_id text not null,
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    session_id uuid not null,
    status text not null default 'online'::text,
    started_at timestamp with time zone not null default now(),
    lease_until timestamp with time zone not null
);
alter table public.presence_leases enable row level security;
alter table public.presence_leases force row level security;

create table public.protocol_blocks (
    company_id uuid not null default app.company_id(),
    day date not null,
    block integer not null,
    used integer not null
);
alter table public.protocol_blocks enable row level security;
alter table public.protocol_blocks force row level security;

create table public.quick_replies (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    owner_id uuid,
    department_id uuid,
    shortcut text not null,
    title text not null,
    text text not null,
    usage_count integer not null default 0,
    last_used_at timestamp with time zone,
    version integer not null default 1,
    created_by_id uuid not null default app.user_id(),
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    file_ids uuid[] not null default '{}'::uuid[]
);
alter table public.quick_replies enable row level security;
alter table public.quick_replies force row level security;

create table public.quick_reply_uses (
    message_id uuid not null,
    company_id uuid not null default app.company_id(),
    quick_reply_id uuid not null
);
alter table public.quick_reply_uses enable row level security;
alter table public.quick_reply_uses force row level security;

create table public.recovery_codes (
    user_id uuid not null,
    code_hash bytea not null,
    used_at timestamp with time zone
);
alter table public.recovery_codes enable row level security;
alter table public.recovery_codes force row level security;

create table public.refresh_tokens (
    token_hash bytea not null,
    company_id uuid not null default app.company_id(),
    session_id uuid not null,
    created_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone not null,
    rotated_at timestamp with time zone,
    succeeds bytea,
    key_id text,
    usable_until timestamp with time zone
);
alter table public.refresh_tokens enable row level security;
alter table public.refresh_tokens force row level security;

create table public.schedule_runs (
    name text not null,
    run_at timestamp with time zone not null
);
alter table public.schedule_runs enable row level security;
alter table public.schedule_runs force row level security;

create table public.scheduled_chat_messages (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    channel_id uuid not null,
    author_id uuid not null default app.user_id(),
    asked jsonb not null,
    due_at timestamp with time zone not null,
    state text not null default 'waiting'::text,
    failure text,
    message_id uuid,
    created_at timestamp with time zone not null default now()
);
alter table public.scheduled_chat_messages enable row level security;
alter table public.scheduled_chat_messages force row level security;

create table public.scheduled_messages (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    conversation_id uuid not null,
    author_id uuid not null default app.user_id(),
    body text not null,
    due_at timestamp with time zone not null,
    state text not null default 'waiting'::text,
    failure text,
    message_id uuid,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    kind text not null default 'text'::text,
    payload jsonb not null default '{}'::jsonb,
    file_id uuid,
    asked jsonb
);
alter table public.scheduled_messages enable row level security;
alter table public.scheduled_messages force row level security;

create table public.schema_migrations (
    version integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamp with time zone not null default now()
);

create table public.second_factors (
    user_id uuid not null,
    secret bytea not null,
    enabled_at timestamp with time zone,
    last_step bigint not null default 0,
    failures integer not null default 0,
    paused_until timestamp with time zone,
    created_at timestamp with time zone not null default now()
);
alter table public.second_factors enable row level security;
alter table public.second_factors force row level security;

create table public.sessions (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    user_id uuid not null,
    created_at timestamp with time zone not null default now(),
    last_seen_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone not null,
    revoked_at timestamp with time zone,
    user_agent text,
    ip text,
    family_id uuid not null,
    stepped_up_at timestamp with time zone
);
alter table public.sessions enable row level security;
alter table public.sessions force row level security;

create table public.stages (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    pipeline_id uuid not null,
    key text not null,
    name text not null,
    "position" integer not null,
    colour text not null default '#8a8f98'::text,
    kind text not null,
    required_fields text[] not null default '{}'::text[],
    rotting_days integer,
    automations jsonb not null default '[]'::jsonb
);
alter table public.stages enable row level security;
alter table public.stages force row level security;

create table public.tags (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    name text not null,
    colour text not null default '#8a8f98'::text,
    version integer not null default 1,
    created_at timestamp with time zone not null default now()
);
alter table public.tags enable row level security;
alter table public.tags force row level security;

create table public.tasks (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    kind text not null,
    title text not null,
    notes text not null default ''::text,
    owner_id uuid not null,
    created_by uuid default app.user_id(),
    due_at timestamp with time zone,
    time_zone text,
    recurrence text,
    series_id uuid not null,
    series_at timestamp with time zone,
    occurrence integer not null default 0,
    follows_id uuid,
    cause text,
    given_by uuid,
    lead_id uuid,
    client_id uuid,
    mentee_id uuid,
    conversation_id uuid,
    completed_at timestamp with time zone,
    completed_by uuid,
    result text not null default ''::text,
    told_due_at timestamp with time zone,
    version integer not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    moved_from uuid[] not null default '{}'::uuid[],
    listed_at timestamp with time zone not null generated always as (COALESCE(due_at, '8000-01-01 00:00:00+00'::timestamp with time zone)) stored
);
alter table public.tasks enable row level security;
alter table public.tasks force row level security;

create table public.unrouted_webhooks (
    id uuid not null,
    source text not null,
    external_key text not null,
    body bytea not null,
    received_at timestamp with time zone not null default now(),
    reason text,
    kinds text[] not null default '{}'::text[],
    number text,
    account text,
    shown text,
    holder_id uuid
);
alter table public.unrouted_webhooks enable row level security;
alter table public.unrouted_webhooks force row level security;

create table public.users (
    id uuid not null,
    email text not null,
    name text not null,
    password_hash text not null,
    phone text,
    "position" text,
    locale text not null default 'pt-BR'::text,
    time_zone text not null default 'America/Sao_Paulo'::text,
    created_at timestamp with time zone not null default now(),
    password_changed_at timestamp with time zone
);
alter table public.users enable row level security;
alter table public.users force row level security;

create table public.views (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    owner_id uuid,
    name text not null,
    filters jsonb not null,
    "position" integer not null default 0,
    version integer not null default 1,
    created_by_id uuid not null default app.user_id(),
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    kind text not null default 'conversations'::text
);
alter table public.views enable row level security;
alter table public.views force row level security;

create table public.web_push_subscriptions (
    id uuid not null,
    company_id uuid not null default app.company_id(),
    user_id uuid not null default app.user_id(),
    session_id uuid not null default app.session_id(),
    endpoint text not null,
    endpoint_hash bytea not null,
    p256dh bytea not null,
    auth bytea not null,
    server_key text not null,
    device text,
    expires_at timestamp with time zone,
    created_at timestamp with time zone not null default now(),
    refreshed_at timestamp with time zone not null
);
alter table public.web_push_subscriptions enable row level security;
alter table public.web_push_subscriptions force row level security;

-- constraints

alter table public.access_log add constraint access_log_pkey PRIMARY KEY (company_id, id);
alter table public.address_book_names add constraint address_book_names_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.address_book_names add constraint address_book_names_pkey PRIMARY KEY (company_id, number);
alter table public.ai_days add constraint ai_days_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.ai_days add constraint ai_days_pkey PRIMARY KEY (company_id, day);
alter table public.ai_runs add constraint ai_runs_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE SET NULL (conversation_id);
alter table public.ai_runs add constraint ai_runs_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.ai_runs add constraint ai_runs_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.ai_runs add constraint ai_runs_feedback_check CHECK ((feedback = ANY (ARRAY['accepted'::text, 'edited'::text, 'rejected'::text])));
alter table public.ai_runs add constraint ai_runs_feedback_note_check CHECK ((char_length(feedback_note) <= 500));
alter table public.ai_runs add constraint ai_runs_pkey PRIMARY KEY (company_id, id);
alter table public.ai_runs add constraint ai_runs_purpose_check CHECK ((purpose = ANY (ARRAY['answer'::text, 'compose'::text, 'suggest'::text, 'rewrite'::text, 'learn'::text, 'transcribe'::text, 'sentiment'::text, 'summary'::text, 'category'::text, 'embed'::text, 'qualify'::text])));
alter table public.ai_runs add constraint ai_runs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text, 'refused'::text])));
alter table public.audit_log add constraint audit_log_pkey PRIMARY KEY (company_id, id);
alter table public.bot_config add constraint bot_config_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.bot_config add constraint bot_config_description_check CHECK ((char_length(description) <= 200));
alter table public.bot_config add constraint bot_config_key_check CHECK ((key = ANY (ARRAY['not_understood'::text, 'goodbye'::text, 'human_words'::text, 'menu_words'::text, 'leave_words'::text, 'ai_enabled'::text, 'ai_tone'::text, 'ai_languages'::text, 'ai_forbidden_topics'::text, 'ai_least_confidence'::text, 'ai_daily_tokens'::text, 'ai_monthly_tokens'::text, 'ai_daily_cost'::text, 'ai_input_price'::text, 'ai_output_price'::text, 'ai_fallback_model'::text, 'ai_embedding_model'::text, 'ai_transcription_model'::text, 'ai_masks_personal_data'::text, 'ai_transcribes_on_arrival'::text, 'ai_analyses_on_close'::text, 'ai_insights_every'::text, 'ai_categories'::text])));
alter table public.bot_config add constraint bot_config_pkey PRIMARY KEY (company_id, key);
alter table public.bot_flows add constraint bot_flows_company_id_author_id_fkey FOREIGN KEY (company_id, author_id) REFERENCES public.memberships(company_id, user_id);
alter table public.bot_flows add constraint bot_flows_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.bot_flows add constraint bot_flows_company_id_id_key UNIQUE (company_id, id);
alter table public.bot_flows add constraint bot_flows_company_id_key_number_key UNIQUE (company_id, key, number);
alter table public.bot_flows add constraint bot_flows_draft CHECK (((number = 0) = (published_at IS NULL)));
alter table public.bot_flows add constraint bot_flows_name_check CHECK ((char_length(name) <= 80));
alter table public.bot_flows add constraint bot_flows_pkey PRIMARY KEY (id);
alter table public.bot_steps add constraint bot_steps_company_id_bot_flow_id_fkey FOREIGN KEY (company_id, bot_flow_id) REFERENCES public.bot_flows(company_id, id);
alter table public.bot_steps add constraint bot_steps_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE CASCADE;
alter table public.bot_steps add constraint bot_steps_outcome_check CHECK ((outcome = ANY (ARRAY['passed'::text, 'asked'::text, 'answered'::text, 'missed'::text, 'timed_out'::text, 'slept'::text, 'called'::text, 'handed_over'::text, 'closed'::text])));
alter table public.bot_steps add constraint bot_steps_pkey PRIMARY KEY (company_id, id);
alter table public.botconversa_subscribers add constraint botconversa_subscribers_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id) ON DELETE CASCADE;
alter table public.botconversa_subscribers add constraint botconversa_subscribers_pkey PRIMARY KEY (company_id, channel_account_id, subscriber_id);
alter table public.botconversa_subscribers add constraint botconversa_subscribers_subscriber_id_check CHECK (((length(subscriber_id) >= 1) AND (length(subscriber_id) <= 64)));
alter table public.calendars add constraint calendars_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id) ON DELETE CASCADE;
alter table public.calendars add constraint calendars_company_id_department_id_key UNIQUE NULLS NOT DISTINCT (company_id, department_id);
alter table public.calendars add constraint calendars_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.calendars add constraint calendars_pkey PRIMARY KEY (id);
alter table public.calendars add constraint calendars_time_zone_check CHECK (((char_length(time_zone) >= 1) AND (char_length(time_zone) <= 64)));
alter table public.channel_accounts add constraint channel_accounts_company_id_bot_flow_id_fkey FOREIGN KEY (company_id, bot_flow_id) REFERENCES public.bot_flows(company_id, id);
alter table public.channel_accounts add constraint channel_accounts_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id);
alter table public.channel_accounts add constraint channel_accounts_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.channel_accounts add constraint channel_accounts_company_id_id_key UNIQUE (company_id, id);
alter table public.channel_accounts add constraint channel_accounts_external_key UNIQUE (kind, external_key);
alter table public.channel_accounts add constraint channel_accounts_kind_check CHECK ((kind = ANY (ARRAY['whatsapp_cloud'::text, 'evolution'::text, 'botconversa'::text, 'widget'::text])));
alter table public.channel_accounts add constraint channel_accounts_name_check CHECK ((name <> ''::text));
alter table public.channel_accounts add constraint channel_accounts_pkey PRIMARY KEY (id);
alter table public.channel_accounts add constraint channel_accounts_state_check CHECK ((state = ANY (ARRAY['connecting'::text, 'open'::text, 'close'::text])));
alter table public.channel_accounts add constraint channel_accounts_status_check CHECK ((status = ANY (ARRAY['active'::text, 'broken'::text, 'disabled'::text])));
alter table public.channel_credentials add constraint channel_credentials_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id) ON DELETE CASCADE;
alter table public.channel_credentials add constraint channel_credentials_pkey PRIMARY KEY (channel_account_id);
alter table public.channel_members add constraint channel_members_company_id_channel_id_fkey FOREIGN KEY (company_id, channel_id) REFERENCES public.channels(company_id, id);
alter table public.channel_members add constraint channel_members_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.channel_members add constraint channel_members_draft_check CHECK ((char_length(draft) <= 8000));
alter table public.channel_members add constraint channel_members_level_check CHECK ((level = ANY (ARRAY['all'::text, 'mentions'::text, 'nothing'::text])));
alter table public.channel_members add constraint channel_members_pkey PRIMARY KEY (company_id, channel_id, user_id);
alter table public.channel_notices add constraint channel_notices_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id) ON DELETE CASCADE;
alter table public.channel_notices add constraint channel_notices_pkey PRIMARY KEY (id);
alter table public.channels add constraint channels_check CHECK (((kind = 'direct'::text) = (name IS NULL)));
alter table public.channels add constraint channels_check1 CHECK (((kind = 'direct'::text) = (members_key IS NOT NULL)));
alter table public.channels add constraint channels_check2 CHECK (((name IS NULL) = (name_key IS NULL)));
alter table public.channels add constraint channels_check3 CHECK (((NOT is_general) OR ((kind = 'public'::text) AND (archived_at IS NULL))));
alter table public.channels add constraint channels_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.channels add constraint channels_company_id_id_key UNIQUE (company_id, id);
alter table public.channels add constraint channels_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.users(id);
alter table public.channels add constraint channels_kind_check CHECK ((kind = ANY (ARRAY['public'::text, 'private'::text, 'direct'::text])));
alter table public.channels add constraint channels_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 80)));
alter table public.channels add constraint channels_pkey PRIMARY KEY (id);
alter table public.channels add constraint channels_topic_check CHECK ((char_length(topic) <= 500));
alter table public.chat_mentions add constraint chat_mentions_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_mentions add constraint chat_mentions_pkey PRIMARY KEY (company_id, message_id, user_id);
alter table public.chat_message_files add constraint chat_message_files_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_message_files add constraint chat_message_files_pkey PRIMARY KEY (company_id, file_id, message_id);
alter table public.chat_message_revisions add constraint chat_message_revisions_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_message_revisions add constraint chat_message_revisions_pkey PRIMARY KEY (company_id, message_id, revision);
alter table public.chat_messages add constraint chat_messages_body_check CHECK ((char_length(body) <= 8000));
alter table public.chat_messages add constraint chat_messages_cards_check CHECK ((jsonb_array_length(cards) <= 5));
alter table public.chat_messages add constraint chat_messages_check CHECK (((root_id IS NOT NULL) OR is_in_channel));
alter table public.chat_messages add constraint chat_messages_check1 CHECK (((deleted_at IS NULL) = (deleted_by_id IS NULL)));
alter table public.chat_messages add constraint chat_messages_check2 CHECK (((deleted_at IS NOT NULL) OR (body <> ''::text) OR (cards <> '[]'::jsonb) OR (file_ids <> '{}'::uuid[])));
alter table public.chat_messages add constraint chat_messages_client_message_id_check CHECK (((char_length(client_message_id) >= 1) AND (char_length(client_message_id) <= 100)));
alter table public.chat_messages add constraint chat_messages_company_id_author_id_fkey FOREIGN KEY (company_id, author_id) REFERENCES public.memberships(company_id, user_id);
alter table public.chat_messages add constraint chat_messages_company_id_channel_id_fkey FOREIGN KEY (company_id, channel_id) REFERENCES public.channels(company_id, id);
alter table public.chat_messages add constraint chat_messages_company_id_forwarded_from_id_fkey FOREIGN KEY (company_id, forwarded_from_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_messages add constraint chat_messages_company_id_id_key UNIQUE (company_id, id);
alter table public.chat_messages add constraint chat_messages_company_id_quote_id_fkey FOREIGN KEY (company_id, quote_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_messages add constraint chat_messages_company_id_root_id_fkey FOREIGN KEY (company_id, root_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_messages add constraint chat_messages_deleted_by_id_fkey FOREIGN KEY (deleted_by_id) REFERENCES public.users(id);
alter table public.chat_messages add constraint chat_messages_file_ids_check CHECK ((cardinality(file_ids) <= 10));
alter table public.chat_messages add constraint chat_messages_pkey PRIMARY KEY (id);
alter table public.chat_pins add constraint chat_pins_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_pins add constraint chat_pins_pkey PRIMARY KEY (company_id, message_id);
alter table public.chat_reactions add constraint chat_reactions_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_reactions add constraint chat_reactions_emoji_check CHECK (((char_length(emoji) >= 1) AND (char_length(emoji) <= 64)));
alter table public.chat_reactions add constraint chat_reactions_pkey PRIMARY KEY (company_id, message_id, emoji, user_id);
alter table public.chat_thread_followers add constraint chat_thread_followers_company_id_root_id_fkey FOREIGN KEY (company_id, root_id) REFERENCES public.chat_messages(company_id, id);
alter table public.chat_thread_followers add constraint chat_thread_followers_pkey PRIMARY KEY (company_id, root_id, user_id);
alter table public.client_consents add constraint client_consents_channel_check CHECK ((channel = 'whatsapp'::text));
alter table public.client_consents add constraint client_consents_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.client_consents add constraint client_consents_company_id_id_key UNIQUE (company_id, id);
alter table public.client_consents add constraint client_consents_pkey PRIMARY KEY (id);
alter table public.client_consents add constraint client_consents_purpose_check CHECK ((purpose = 'marketing'::text));
alter table public.client_consents add constraint client_consents_source_check CHECK ((source = ANY (ARRAY['whatsapp_preference'::text, 'opt_out'::text])));
alter table public.client_fields add constraint client_fields_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.client_fields add constraint client_fields_pkey PRIMARY KEY (company_id);
alter table public.client_files add constraint client_files_added_by_fkey FOREIGN KEY (added_by) REFERENCES public.users(id);
alter table public.client_files add constraint client_files_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.client_files add constraint client_files_company_id_file_id_fkey FOREIGN KEY (company_id, file_id) REFERENCES public.files(company_id, id) ON DELETE CASCADE;
alter table public.client_files add constraint client_files_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.client_files add constraint client_files_pkey PRIMARY KEY (company_id, file_id);
alter table public.client_identities add constraint client_identities_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id) ON DELETE CASCADE;
alter table public.client_identities add constraint client_identities_kind_check CHECK ((kind = ANY (ARRAY['phone'::text, 'email'::text, 'lid'::text, 'bsuid'::text, 'student'::text, 'visitor'::text, 'botconversa'::text])));
alter table public.client_identities add constraint client_identities_pkey PRIMARY KEY (company_id, kind, value);
alter table public.client_import_rows add constraint client_import_rows_company_id_import_id_fkey FOREIGN KEY (company_id, import_id) REFERENCES public.client_imports(company_id, id);
alter table public.client_import_rows add constraint client_import_rows_pkey PRIMARY KEY (company_id, import_id, client_id);
alter table public.client_imports add constraint client_imports_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.client_imports add constraint client_imports_company_id_id_key UNIQUE (company_id, id);
alter table public.client_imports add constraint client_imports_on_existing_check CHECK ((on_existing = ANY (ARRAY['skip'::text, 'update'::text])));
alter table public.client_imports add constraint client_imports_pkey PRIMARY KEY (id);
alter table public.client_imports add constraint client_imports_started_by_fkey FOREIGN KEY (started_by) REFERENCES public.users(id);
alter table public.client_imports add constraint client_imports_state_check CHECK ((state = ANY (ARRAY['going'::text, 'done'::text, 'cancelled'::text, 'failed'::text])));
alter table public.client_imports add constraint client_imports_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES public.users(id);
alter table public.client_merges add constraint client_merges_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.client_merges add constraint client_merges_company_id_merged_client_id_fkey FOREIGN KEY (company_id, merged_client_id) REFERENCES public.clients(company_id, id);
alter table public.client_merges add constraint client_merges_pkey PRIMARY KEY (id);
alter table public.clients add constraint clients_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.clients add constraint clients_company_id_id_key UNIQUE (company_id, id);
alter table public.clients add constraint clients_company_id_merged_into_id_fkey FOREIGN KEY (company_id, merged_into_id) REFERENCES public.clients(company_id, id);
alter table public.clients add constraint clients_metadata_check CHECK (((jsonb_typeof(metadata) = 'object'::text) AND (octet_length((metadata)::text) <= 16384)));
alter table public.clients add constraint clients_name_source_check CHECK ((name_source = ANY (ARRAY['number'::text, 'profile'::text, 'address_book'::text, 'staff'::text])));
alter table public.clients add constraint clients_pkey PRIMARY KEY (id);
alter table public.companies add constraint companies_agent_visibility_check CHECK ((agent_visibility = ANY (ARRAY['company'::text, 'department'::text, 'own'::text])));
alter table public.companies add constraint companies_coin_name_check CHECK (((coin_name <> ''::text) AND (char_length(coin_name) <= 40)));
alter table public.companies add constraint companies_colour_check CHECK ((colour ~ '^#[0-9a-f]{6}$'::text));
alter table public.companies add constraint companies_founded_by_fkey FOREIGN KEY (founded_by) REFERENCES public.users(id);
alter table public.companies add constraint companies_front_end_url_check CHECK (((front_end_url ~ '^https?://[^/?#\s]+$'::text) AND (char_length(front_end_url) <= 300)));
alter table public.companies add constraint companies_idle_minutes_check CHECK ((idle_minutes = ANY (ARRAY[30, 480])));
alter table public.companies add constraint companies_locale_check CHECK ((locale = ANY (ARRAY['pt-BR'::text, 'en'::text])));
alter table public.companies add constraint companies_name_check CHECK ((name <> ''::text));
alter table public.companies add constraint companies_pkey PRIMARY KEY (id);
alter table public.companies add constraint companies_rating_text_check CHECK ((char_length(rating_text) <= 1000));
alter table public.companies add constraint companies_reopen_window_check CHECK ((reopen_window >= 0));
alter table public.companies add constraint companies_slug_key UNIQUE (slug);
alter table public.companies add constraint companies_takeover_text_check CHECK ((char_length(takeover_text) <= 2000));
alter table public.companies add constraint companies_two_factor_policy_check CHECK ((two_factor_policy <@ ARRAY['admin'::text, 'supervisor'::text, 'agent'::text, 'student'::text]));
alter table public.company_emoji add constraint company_emoji_company_id_file_id_fkey FOREIGN KEY (company_id, file_id) REFERENCES public.files(company_id, id);
alter table public.company_emoji add constraint company_emoji_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.company_emoji add constraint company_emoji_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.users(id);
alter table public.company_emoji add constraint company_emoji_name_check CHECK ((name ~ '^[a-z0-9_]{2,32}$'::text));
alter table public.company_emoji add constraint company_emoji_pkey PRIMARY KEY (id);
alter table public.company_secrets add constraint company_secrets_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.company_secrets add constraint company_secrets_pkey PRIMARY KEY (company_id, name);
alter table public.company_setup add constraint company_setup_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.company_setup add constraint company_setup_pkey PRIMARY KEY (company_id);
alter table public.conversation_handlers add constraint conversation_handlers_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE CASCADE;
alter table public.conversation_handlers add constraint conversation_handlers_pkey PRIMARY KEY (company_id, conversation_id, user_id);
alter table public.conversation_insights add constraint conversation_insights_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE CASCADE;
alter table public.conversation_insights add constraint conversation_insights_company_id_run_id_fkey FOREIGN KEY (company_id, run_id) REFERENCES public.ai_runs(company_id, id);
alter table public.conversation_insights add constraint conversation_insights_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision)));
alter table public.conversation_insights add constraint conversation_insights_kind_check CHECK ((kind = ANY (ARRAY['sentiment'::text, 'summary'::text, 'category'::text])));
alter table public.conversation_insights add constraint conversation_insights_pkey PRIMARY KEY (company_id, id);
alter table public.conversation_insights add constraint conversation_insights_score_check CHECK (((score >= ('-1'::integer)::double precision) AND (score <= (1)::double precision)));
alter table public.conversation_insights add constraint conversation_insights_value_check CHECK ((char_length(value) <= 4000));
alter table public.conversation_preferences add constraint conversation_preferences_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.conversation_preferences add constraint conversation_preferences_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.conversation_preferences add constraint conversation_preferences_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.conversation_preferences add constraint conversation_preferences_pkey PRIMARY KEY (company_id, user_id, conversation_id);
alter table public.conversation_transfers add constraint conversation_transfers_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.conversation_transfers add constraint conversation_transfers_pkey PRIMARY KEY (id);
alter table public.conversations add constraint conversations_check CHECK ((read_count <= inbound_count));
alter table public.conversations add constraint conversations_company_id_assignee_id_fkey FOREIGN KEY (company_id, assignee_id) REFERENCES public.memberships(company_id, user_id);
alter table public.conversations add constraint conversations_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id);
alter table public.conversations add constraint conversations_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.conversations add constraint conversations_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id);
alter table public.conversations add constraint conversations_company_id_id_key UNIQUE (company_id, id);
alter table public.conversations add constraint conversations_company_id_merged_into_id_fkey FOREIGN KEY (company_id, merged_into_id) REFERENCES public.conversations(company_id, id);
alter table public.conversations add constraint conversations_imported CHECK (((imported_at IS NULL) OR (ended_at IS NOT NULL)));
alter table public.conversations add constraint conversations_metadata_check CHECK (((jsonb_typeof(metadata) = 'object'::text) AND (octet_length((metadata)::text) <= 16384)));
alter table public.conversations add constraint conversations_mode_check CHECK ((mode = ANY (ARRAY['bot'::text, 'human'::text])));
alter table public.conversations add constraint conversations_participants_check CHECK ((cardinality(participant_ids) <= 100));
alter table public.conversations add constraint conversations_pkey PRIMARY KEY (id);
alter table public.conversations add constraint conversations_priority_check CHECK ((priority = ANY (ARRAY['low'::text, 'normal'::text, 'high'::text, 'urgent'::text])));
alter table public.conversations add constraint conversations_rated CHECK (((rating IS NULL) = (rated_at IS NULL)));
alter table public.conversations add constraint conversations_rating_check CHECK (((rating >= 1) AND (rating <= 5)));
alter table public.conversations add constraint conversations_return CHECK (((return_to_bot_at IS NULL) OR ((mode = 'human'::text) AND (ended_at IS NULL))));
alter table public.conversations add constraint conversations_snooze CHECK (((snoozed_until IS NULL) OR (snoozed_at IS NOT NULL)));
alter table public.crm_conflicts add constraint crm_conflicts_check CHECK (((kind = 'field'::text) = (field IS NOT NULL)));
alter table public.crm_conflicts add constraint crm_conflicts_check1 CHECK (((resolution IS NULL) = (resolved_at IS NULL)));
alter table public.crm_conflicts add constraint crm_conflicts_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.crm_conflicts add constraint crm_conflicts_company_id_id_key UNIQUE (company_id, id);
alter table public.crm_conflicts add constraint crm_conflicts_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.crm_conflicts add constraint crm_conflicts_kind_check CHECK ((kind = ANY (ARRAY['field'::text, 'deleted'::text])));
alter table public.crm_conflicts add constraint crm_conflicts_pkey PRIMARY KEY (id);
alter table public.crm_conflicts add constraint crm_conflicts_resolution_check CHECK ((resolution = ANY (ARRAY['ours'::text, 'theirs'::text, 'same'::text])));
alter table public.crm_conflicts add constraint crm_conflicts_resolved_by_id_fkey FOREIGN KEY (resolved_by_id) REFERENCES public.users(id);
alter table public.crm_connections add constraint crm_connections_base_url_check CHECK ((char_length(base_url) <= 300));
alter table public.crm_connections add constraint crm_connections_check CHECK (((kind = 'generic_rest'::text) = (base_url IS NOT NULL)));
alter table public.crm_connections add constraint crm_connections_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.crm_connections add constraint crm_connections_id_key UNIQUE (id);
alter table public.crm_connections add constraint crm_connections_kind_check CHECK ((kind = ANY (ARRAY['hubspot'::text, 'pipedrive'::text, 'generic_rest'::text])));
alter table public.crm_connections add constraint crm_connections_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 80)));
alter table public.crm_connections add constraint crm_connections_pkey PRIMARY KEY (company_id);
alter table public.crm_connections add constraint crm_connections_status_check CHECK ((status = ANY (ARRAY['active'::text, 'broken'::text, 'disabled'::text])));
alter table public.crm_records add constraint crm_records_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.crm_records add constraint crm_records_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.crm_records add constraint crm_records_crm_id UNIQUE (company_id, crm_id);
alter table public.crm_records add constraint crm_records_crm_id_check CHECK (((char_length(crm_id) >= 1) AND (char_length(crm_id) <= 120)));
alter table public.crm_records add constraint crm_records_pkey PRIMARY KEY (company_id, lead_id);
alter table public.crm_records add constraint crm_records_refused_check CHECK ((char_length(refused) <= 500));
alter table public.department_members add constraint department_members_capacity_check CHECK (((capacity >= 0) AND (capacity <= 200)));
alter table public.department_members add constraint department_members_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id) ON DELETE CASCADE;
alter table public.department_members add constraint department_members_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.department_members add constraint department_members_pkey PRIMARY KEY (company_id, department_id, user_id);
alter table public.departments add constraint departments_assignment_check CHECK ((assignment = ANY (ARRAY['manual'::text, 'round_robin'::text, 'least_busy'::text])));
alter table public.departments add constraint departments_capacity_check CHECK (((capacity >= 1) AND (capacity <= 200)));
alter table public.departments add constraint departments_check CHECK ((moved_to_id <> id));
alter table public.departments add constraint departments_check1 CHECK (((moved_to_id IS NULL) OR (deleted_at IS NOT NULL)));
alter table public.departments add constraint departments_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.departments add constraint departments_company_id_id_key UNIQUE (company_id, id);
alter table public.departments add constraint departments_company_id_moved_to_id_fkey FOREIGN KEY (company_id, moved_to_id) REFERENCES public.departments(company_id, id);
alter table public.departments add constraint departments_name_check CHECK ((name <> ''::text));
alter table public.departments add constraint departments_pkey PRIMARY KEY (id);
alter table public.early_changes add constraint early_changes_changed_by_check CHECK ((changed_by = ANY (ARRAY['client'::text, 'agent'::text])));
alter table public.early_changes add constraint early_changes_kind_check CHECK ((kind = ANY (ARRAY['edit'::text, 'revoke'::text, 'reaction'::text])));
alter table public.early_changes add constraint early_changes_pkey PRIMARY KEY (company_id, channel_account_id, provider_id, change_id);
alter table public.early_statuses add constraint early_statuses_pkey PRIMARY KEY (company_id, channel_account_id, provider_id, status);
alter table public.event_rules add constraint event_rules_pkey PRIMARY KEY (type);
alter table public.event_rules add constraint event_rules_told_by_check CHECK ((told_by = ANY (ARRAY['student'::text, 'agent'::text, 'supervisor'::text, 'admin'::text])));
alter table public.events add constraint events_pkey PRIMARY KEY (company_id, tx, id, at);
alter table public.evolution_codes add constraint evolution_codes_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id) ON DELETE CASCADE;
alter table public.evolution_codes add constraint evolution_codes_pkey PRIMARY KEY (channel_account_id);
alter table public.evolution_instances add constraint evolution_instances_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id) ON DELETE CASCADE;
alter table public.evolution_instances add constraint evolution_instances_pkey PRIMARY KEY (channel_account_id);
alter table public.evolution_instances add constraint evolution_instances_problem_check CHECK ((problem = ANY (ARRAY['not_made'::text, 'unreachable'::text, 'key_refused'::text, 'missing'::text, 'name_taken'::text])));
alter table public.external_api_usage add constraint external_api_usage_check CHECK (((amount IS NULL) = (currency IS NULL)));
alter table public.external_api_usage add constraint external_api_usage_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id);
alter table public.external_api_usage add constraint external_api_usage_country_check CHECK ((country ~ '^[A-Z]{2}$'::text));
alter table public.external_api_usage add constraint external_api_usage_pkey PRIMARY KEY (company_id, channel_account_id, provider_id);
alter table public.feed_epochs add constraint feed_epochs_pkey PRIMARY KEY (value);
alter table public.files add constraint files_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.files add constraint files_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.files add constraint files_company_id_id_key UNIQUE (company_id, id);
alter table public.files add constraint files_kept CHECK (((status <> ALL (ARRAY['quarantined'::text, 'ready'::text])) OR (storage_key !~~ 'upload/%'::text)));
alter table public.files add constraint files_of_company CHECK ((split_part(storage_key, '/'::text, 2) = (company_id)::text));
alter table public.files add constraint files_pkey PRIMARY KEY (id);
alter table public.files add constraint files_previews CHECK (((COALESCE(thumb_key, poster_key) IS NULL) = (preview_type IS NULL)));
alter table public.files add constraint files_previews_of_company CHECK (((split_part(thumb_key, '/'::text, 2) = (company_id)::text) AND (split_part(poster_key, '/'::text, 2) = (company_id)::text)));
alter table public.files add constraint files_purpose_check CHECK ((purpose = ANY (ARRAY['message'::text, 'avatar'::text, 'document'::text])));
alter table public.files add constraint files_size_check CHECK ((size >= 0));
alter table public.files add constraint files_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'quarantined'::text, 'ready'::text, 'failed'::text])));
alter table public.files add constraint files_waveform_check CHECK ((cardinality(waveform) = 64));
alter table public.first_answers add constraint first_answers_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.first_answers add constraint first_answers_pkey PRIMARY KEY (company_id, conversation_id);
alter table public.followup_executions add constraint followup_executions_attempt_check CHECK ((attempt >= 1));
alter table public.followup_executions add constraint followup_executions_check CHECK (((status = ANY (ARRAY['active'::text, 'paused'::text])) = (finished_at IS NULL)));
alter table public.followup_executions add constraint followup_executions_check1 CHECK (((status <> 'responded'::text) OR (responded_at IS NOT NULL)));
alter table public.followup_executions add constraint followup_executions_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.followup_executions add constraint followup_executions_company_id_id_key UNIQUE (company_id, id);
alter table public.followup_executions add constraint followup_executions_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.followup_executions add constraint followup_executions_company_id_sequence_id_fkey FOREIGN KEY (company_id, sequence_id) REFERENCES public.followup_sequences(company_id, id);
alter table public.followup_executions add constraint followup_executions_current_step_check CHECK ((current_step >= 0));
alter table public.followup_executions add constraint followup_executions_enrolled_by_fkey FOREIGN KEY (enrolled_by) REFERENCES public.users(id);
alter table public.followup_executions add constraint followup_executions_once UNIQUE (company_id, sequence_id, lead_id, rotation);
alter table public.followup_executions add constraint followup_executions_pkey PRIMARY KEY (id);
alter table public.followup_executions add constraint followup_executions_reason_check CHECK ((reason ~ '^[a-z_]{1,60}$'::text));
alter table public.followup_executions add constraint followup_executions_rotation_check CHECK ((rotation >= 0));
alter table public.followup_executions add constraint followup_executions_status_check CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'responded'::text, 'completed'::text, 'cancelled'::text, 'failed'::text])));
alter table public.followup_logs add constraint followup_logs_attempt_check CHECK ((attempt >= 1));
alter table public.followup_logs add constraint followup_logs_check CHECK ((((step IS NULL) = (attempt IS NULL)) AND ((step IS NULL) = (kind IS NULL))));
alter table public.followup_logs add constraint followup_logs_company_id_execution_id_fkey FOREIGN KEY (company_id, execution_id) REFERENCES public.followup_executions(company_id, id);
alter table public.followup_logs add constraint followup_logs_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.followup_logs add constraint followup_logs_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'whatsapp'::text, 'call_task'::text, 'task'::text])));
alter table public.followup_logs add constraint followup_logs_once UNIQUE (company_id, execution_id, step, attempt);
alter table public.followup_logs add constraint followup_logs_outcome_check CHECK ((outcome = ANY (ARRAY['enrolled'::text, 'sent'::text, 'task'::text, 'skipped'::text, 'put_off'::text, 'active'::text, 'paused'::text, 'responded'::text, 'completed'::text, 'cancelled'::text, 'failed'::text])));
alter table public.followup_logs add constraint followup_logs_pkey PRIMARY KEY (id);
alter table public.followup_logs add constraint followup_logs_reason_check CHECK ((reason ~ '^[a-z_]{1,60}$'::text));
alter table public.followup_logs add constraint followup_logs_step_check CHECK ((step >= 0));
alter table public.followup_logs add constraint followup_logs_variant_check CHECK ((variant >= 0));
alter table public.followup_optouts add constraint followup_optouts_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.followup_optouts add constraint followup_optouts_kind_check CHECK ((kind = ANY (ARRAY['lead'::text, 'phone'::text, 'email'::text])));
alter table public.followup_optouts add constraint followup_optouts_pkey PRIMARY KEY (company_id, kind, value);
alter table public.followup_optouts add constraint followup_optouts_source_check CHECK ((source = ANY (ARRAY['word'::text, 'link'::text])));
alter table public.followup_optouts add constraint followup_optouts_value_check CHECK (((char_length(value) >= 1) AND (char_length(value) <= 254)));
alter table public.followup_sequences add constraint followup_sequences_channel FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id);
alter table public.followup_sequences add constraint followup_sequences_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.followup_sequences add constraint followup_sequences_company_id_id_key UNIQUE (company_id, id);
alter table public.followup_sequences add constraint followup_sequences_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.users(id);
alter table public.followup_sequences add constraint followup_sequences_description_check CHECK ((char_length(description) <= 2000));
alter table public.followup_sequences add constraint followup_sequences_max_per_day_check CHECK (((max_per_day >= 1) AND (max_per_day <= 50)));
alter table public.followup_sequences add constraint followup_sequences_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 120)));
alter table public.followup_sequences add constraint followup_sequences_pkey PRIMARY KEY (id);
alter table public.followup_sequences add constraint followup_sequences_steps_check CHECK (((jsonb_array_length(steps) >= 1) AND (jsonb_array_length(steps) <= 30)));
alter table public.followup_sequences add constraint followup_sequences_weekdays_check CHECK (((cardinality(weekdays) >= 1) AND (cardinality(weekdays) <= 7)));
alter table public.followup_sequences add constraint followup_sequences_window CHECK ((window_start < window_end));
alter table public.followup_sequences add constraint followup_sequences_window_end_check CHECK ((window_end ~ '^[0-2][0-9]:[0-5][0-9]$'::text));
alter table public.followup_sequences add constraint followup_sequences_window_start_check CHECK ((window_start ~ '^[0-2][0-9]:[0-5][0-9]$'::text));
alter table public.holidays add constraint holidays_company_id_department_id_date_key UNIQUE NULLS NOT DISTINCT (company_id, department_id, date);
alter table public.holidays add constraint holidays_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id) ON DELETE CASCADE;
alter table public.holidays add constraint holidays_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.holidays add constraint holidays_name_check CHECK ((name <> ''::text));
alter table public.holidays add constraint holidays_pkey PRIMARY KEY (id);
alter table public.idempotency_keys add constraint idempotency_keys_pkey PRIMARY KEY (company_id, user_id, route, key);
alter table public.inbound_webhooks add constraint inbound_webhooks_company_id_fkey1 FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.inbound_webhooks add constraint inbound_webhooks_pkey PRIMARY KEY (id, received_at);
alter table public.integration_calls add constraint integration_calls_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.integration_calls add constraint integration_calls_pkey PRIMARY KEY (id);
alter table public.integration_prices add constraint integration_prices_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.integration_prices add constraint integration_prices_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
alter table public.integration_prices add constraint integration_prices_pkey PRIMARY KEY (company_id);
alter table public.invites add constraint invites_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.invites add constraint invites_company_id_id_key UNIQUE (company_id, id);
alter table public.invites add constraint invites_company_id_invited_by_fkey FOREIGN KEY (company_id, invited_by) REFERENCES public.memberships(company_id, user_id);
alter table public.invites add constraint invites_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.invites add constraint invites_email_check CHECK ((email = lower(email)));
alter table public.invites add constraint invites_pkey PRIMARY KEY (id);
alter table public.invites add constraint invites_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'supervisor'::text, 'agent'::text, 'student'::text])));
alter table public.job_progress add constraint job_progress_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.job_progress add constraint job_progress_company_id_id_key UNIQUE (company_id, id);
alter table public.job_progress add constraint job_progress_pkey PRIMARY KEY (id);
alter table public.job_progress add constraint job_progress_started_by_fkey FOREIGN KEY (started_by) REFERENCES public.users(id);
alter table public.job_progress add constraint job_progress_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'cancelling'::text, 'cancelled'::text, 'done'::text, 'failed'::text])));
alter table public.job_rules add constraint job_rules_added_by_check CHECK ((added_by = ANY (ARRAY['student'::text, 'agent'::text, 'supervisor'::text, 'admin'::text])));
alter table public.job_rules add constraint job_rules_pkey PRIMARY KEY (kind);
alter table public.jobs add constraint jobs_pkey PRIMARY KEY (id);
alter table public.knowledge_articles add constraint knowledge_articles_answer_check CHECK (((char_length(answer) >= 1) AND (char_length(answer) <= 20000)));
alter table public.knowledge_articles add constraint knowledge_articles_audience_check CHECK ((audience = ANY (ARRAY['both'::text, 'bot'::text, 'agents'::text])));
alter table public.knowledge_articles add constraint knowledge_articles_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id);
alter table public.knowledge_articles add constraint knowledge_articles_check CHECK ((valid_until > valid_from));
alter table public.knowledge_articles add constraint knowledge_articles_check1 CHECK ((cardinality(terms) = cardinality(weights)));
alter table public.knowledge_articles add constraint knowledge_articles_check2 CHECK ((cardinality(lines) = (cardinality(questions) + 1)));
alter table public.knowledge_articles add constraint knowledge_articles_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.knowledge_articles add constraint knowledge_articles_company_id_id_key UNIQUE (company_id, id);
alter table public.knowledge_articles add constraint knowledge_articles_pkey PRIMARY KEY (id);
alter table public.knowledge_articles add constraint knowledge_articles_questions_check CHECK ((cardinality(questions) <= 50));
alter table public.knowledge_articles add constraint knowledge_articles_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'archived'::text])));
alter table public.knowledge_articles add constraint knowledge_articles_tags_check CHECK ((cardinality(tags) <= 20));
alter table public.knowledge_articles add constraint knowledge_articles_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200)));
alter table public.knowledge_embeddings add constraint knowledge_embeddings_check CHECK ((((cardinality(embedding) >= 1) AND (cardinality(embedding) <= 4096)) AND (length((signs)::"bit") = cardinality(embedding))));
alter table public.knowledge_embeddings add constraint knowledge_embeddings_company_id_article_id_fkey FOREIGN KEY (company_id, article_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_embeddings add constraint knowledge_embeddings_model_check CHECK (((char_length(model) >= 1) AND (char_length(model) <= 200)));
alter table public.knowledge_embeddings add constraint knowledge_embeddings_pkey PRIMARY KEY (company_id, article_id);
alter table public.knowledge_import_rows add constraint knowledge_import_rows_company_id_article_id_fkey FOREIGN KEY (company_id, article_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_import_rows add constraint knowledge_import_rows_company_id_import_id_fkey FOREIGN KEY (company_id, import_id) REFERENCES public.job_progress(company_id, id) ON DELETE CASCADE;
alter table public.knowledge_import_rows add constraint knowledge_import_rows_pkey PRIMARY KEY (company_id, import_id, article_id);
alter table public.knowledge_misses add constraint knowledge_misses_audience_check CHECK ((audience = ANY (ARRAY['bot'::text, 'agents'::text])));
alter table public.knowledge_misses add constraint knowledge_misses_pkey PRIMARY KEY (company_id, id);
alter table public.knowledge_misses add constraint knowledge_misses_query_check CHECK ((char_length(query) <= 500));
alter table public.knowledge_proposals add constraint knowledge_proposals_check CHECK (((state = 'open'::text) = (decided_at IS NULL)));
alter table public.knowledge_proposals add constraint knowledge_proposals_company_id_article_id_fkey FOREIGN KEY (company_id, article_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_proposals add constraint knowledge_proposals_company_id_evidence_key_key UNIQUE (company_id, evidence_key);
alter table public.knowledge_proposals add constraint knowledge_proposals_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.knowledge_proposals add constraint knowledge_proposals_company_id_id_key UNIQUE (company_id, id);
alter table public.knowledge_proposals add constraint knowledge_proposals_company_id_other_id_fkey FOREIGN KEY (company_id, other_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_proposals add constraint knowledge_proposals_company_id_result_id_fkey FOREIGN KEY (company_id, result_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_proposals add constraint knowledge_proposals_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.users(id);
alter table public.knowledge_proposals add constraint knowledge_proposals_kind_check CHECK ((kind = ANY (ARRAY['duplicate'::text, 'contradiction'::text, 'stale'::text, 'unanswered'::text, 'learned'::text])));
alter table public.knowledge_proposals add constraint knowledge_proposals_pkey PRIMARY KEY (id);
alter table public.knowledge_proposals add constraint knowledge_proposals_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'rejected'::text])));
alter table public.knowledge_revisions add constraint knowledge_revisions_company_id_article_id_fkey FOREIGN KEY (company_id, article_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_revisions add constraint knowledge_revisions_pkey PRIMARY KEY (company_id, article_id, version);
alter table public.knowledge_synonyms add constraint knowledge_synonyms_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.knowledge_synonyms add constraint knowledge_synonyms_pkey PRIMARY KEY (company_id);
alter table public.knowledge_terms add constraint knowledge_terms_company_id_article_id_fkey FOREIGN KEY (company_id, article_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_terms add constraint knowledge_terms_pkey PRIMARY KEY (company_id, article_id, term);
alter table public.knowledge_uses add constraint knowledge_uses_company_id_article_id_fkey FOREIGN KEY (company_id, article_id) REFERENCES public.knowledge_articles(company_id, id);
alter table public.knowledge_uses add constraint knowledge_uses_company_id_article_id_user_id_conversation_i_key UNIQUE NULLS NOT DISTINCT (company_id, article_id, user_id, conversation_id);
alter table public.knowledge_uses add constraint knowledge_uses_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE CASCADE;
alter table public.knowledge_uses add constraint knowledge_uses_pkey PRIMARY KEY (id);
alter table public.knowledge_uses add constraint knowledge_uses_query_check CHECK ((char_length(query) <= 500));
alter table public.knowledge_uses add constraint knowledge_uses_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
alter table public.knowledge_vocabulary add constraint knowledge_vocabulary_pkey PRIMARY KEY (company_id, term);
alter table public.known_devices add constraint known_devices_pkey PRIMARY KEY (user_id, device, network);
alter table public.known_devices add constraint known_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
alter table public.lead_automations add constraint lead_automations_check CHECK (((outcome IS NULL) = (at IS NULL)));
alter table public.lead_automations add constraint lead_automations_company_id_entry_id_fkey FOREIGN KEY (company_id, entry_id) REFERENCES public.lead_stages(company_id, id);
alter table public.lead_automations add constraint lead_automations_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_automations add constraint lead_automations_company_id_id_key UNIQUE (company_id, id);
alter table public.lead_automations add constraint lead_automations_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_automations add constraint lead_automations_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'task'::text, 'skipped'::text, 'failed'::text])));
alter table public.lead_automations add constraint lead_automations_pkey PRIMARY KEY (company_id, entry_id, place);
alter table public.lead_automations add constraint lead_automations_place_check CHECK (((place >= 0) AND (place <= 9)));
alter table public.lead_automations add constraint lead_automations_reason_check CHECK ((reason ~ '^[a-z_]{1,60}$'::text));
alter table public.lead_changes add constraint lead_changes_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_changes add constraint lead_changes_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_changes add constraint lead_changes_pkey PRIMARY KEY (id);
alter table public.lead_fields add constraint lead_fields_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_fields add constraint lead_fields_pkey PRIMARY KEY (company_id);
alter table public.lead_import_rows add constraint lead_import_rows_check CHECK (((before IS NULL) = (after IS NULL)));
alter table public.lead_import_rows add constraint lead_import_rows_company_id_import_id_fkey FOREIGN KEY (company_id, import_id) REFERENCES public.lead_imports(company_id, id);
alter table public.lead_import_rows add constraint lead_import_rows_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_import_rows add constraint lead_import_rows_pkey PRIMARY KEY (company_id, import_id, lead_id);
alter table public.lead_imports add constraint lead_imports_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_imports add constraint lead_imports_company_id_id_key UNIQUE (company_id, id);
alter table public.lead_imports add constraint lead_imports_on_existing_check CHECK ((on_existing = ANY (ARRAY['skip'::text, 'update'::text, 'create'::text])));
alter table public.lead_imports add constraint lead_imports_pkey PRIMARY KEY (id);
alter table public.lead_imports add constraint lead_imports_started_by_fkey FOREIGN KEY (started_by) REFERENCES public.users(id);
alter table public.lead_imports add constraint lead_imports_state_check CHECK ((state = ANY (ARRAY['going'::text, 'done'::text, 'cancelled'::text, 'failed'::text])));
alter table public.lead_imports add constraint lead_imports_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES public.users(id);
alter table public.lead_interactions add constraint lead_interactions_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id);
alter table public.lead_interactions add constraint lead_interactions_check CHECK (((source = 'message'::text) = (day IS NOT NULL)));
alter table public.lead_interactions add constraint lead_interactions_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_interactions add constraint lead_interactions_company_id_id_key UNIQUE (company_id, id);
alter table public.lead_interactions add constraint lead_interactions_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_interactions add constraint lead_interactions_details_check CHECK (((char_length(details) >= 1) AND (char_length(details) <= 10000)));
alter table public.lead_interactions add constraint lead_interactions_next_step_check CHECK (((char_length(next_step) >= 1) AND (char_length(next_step) <= 500)));
alter table public.lead_interactions add constraint lead_interactions_pkey PRIMARY KEY (id);
alter table public.lead_interactions add constraint lead_interactions_result_check CHECK ((result = ANY (ARRAY['contacted'::text, 'closed_won'::text, 'no_answer'::text, 'scheduled'::text, 'proposal_sent'::text, 'closed_lost'::text, 'other'::text])));
alter table public.lead_interactions add constraint lead_interactions_source_check CHECK ((source = ANY (ARRAY['person'::text, 'message'::text, 'followup'::text, 'import'::text])));
alter table public.lead_interactions add constraint lead_interactions_summary_check CHECK (((char_length(summary) >= 1) AND (char_length(summary) <= 500)));
alter table public.lead_interactions add constraint lead_interactions_type_check CHECK ((type = ANY (ARRAY['whatsapp'::text, 'email'::text, 'call'::text, 'meeting'::text, 'note'::text, 'other'::text])));
alter table public.lead_merges add constraint lead_merges_by_id_fkey FOREIGN KEY (by_id) REFERENCES public.users(id);
alter table public.lead_merges add constraint lead_merges_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_merges add constraint lead_merges_company_id_id_key UNIQUE (company_id, id);
alter table public.lead_merges add constraint lead_merges_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_merges add constraint lead_merges_company_id_merged_id_fkey FOREIGN KEY (company_id, merged_id) REFERENCES public.leads(company_id, id);
alter table public.lead_merges add constraint lead_merges_pkey PRIMARY KEY (id);
alter table public.lead_merges add constraint lead_merges_undone_by_id_fkey FOREIGN KEY (undone_by_id) REFERENCES public.users(id);
alter table public.lead_proposals add constraint lead_proposals_company_id_asked_by_fkey FOREIGN KEY (company_id, asked_by) REFERENCES public.memberships(company_id, user_id);
alter table public.lead_proposals add constraint lead_proposals_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_proposals add constraint lead_proposals_company_id_id_key UNIQUE (company_id, id);
alter table public.lead_proposals add constraint lead_proposals_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_proposals add constraint lead_proposals_company_id_run_id_fkey FOREIGN KEY (company_id, run_id) REFERENCES public.ai_runs(company_id, id);
alter table public.lead_proposals add constraint lead_proposals_company_id_run_id_key UNIQUE (company_id, run_id);
alter table public.lead_proposals add constraint lead_proposals_dropped_check CHECK ((dropped >= 0));
alter table public.lead_proposals add constraint lead_proposals_pkey PRIMARY KEY (id);
alter table public.lead_scoring add constraint lead_scoring_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id);
alter table public.lead_scoring add constraint lead_scoring_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_scoring add constraint lead_scoring_pkey PRIMARY KEY (company_id, version);
alter table public.lead_scoring add constraint lead_scoring_version_check CHECK ((version > 0));
alter table public.lead_stages add constraint lead_stages_check CHECK ((left_at >= entered_at));
alter table public.lead_stages add constraint lead_stages_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.lead_stages add constraint lead_stages_company_id_id_key UNIQUE (company_id, id);
alter table public.lead_stages add constraint lead_stages_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.lead_stages add constraint lead_stages_pkey PRIMARY KEY (id);
alter table public.leads add constraint leads_authority_level_check CHECK ((authority_level = ANY (ARRAY['decision_maker'::text, 'influencer'::text, 'user'::text, 'unknown'::text])));
alter table public.leads add constraint leads_budget_amount_check CHECK ((budget_amount >= (0)::numeric));
alter table public.leads add constraint leads_campaign_check CHECK (((char_length(campaign) >= 1) AND (char_length(campaign) <= 80)));
alter table public.leads add constraint leads_check CHECK (((status = 'open'::text) = (closed_at IS NULL)));
alter table public.leads add constraint leads_check1 CHECK (((merged_into_id IS NULL) OR ((deleted_at IS NOT NULL) AND (merged_into_id <> id))));
alter table public.leads add constraint leads_close_reason_check CHECK (((char_length(close_reason) >= 1) AND (char_length(close_reason) <= 500)));
alter table public.leads add constraint leads_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.leads add constraint leads_company_id_closer_id_fkey FOREIGN KEY (company_id, closer_id) REFERENCES public.memberships(company_id, user_id);
alter table public.leads add constraint leads_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.leads add constraint leads_company_id_id_key UNIQUE (company_id, id);
alter table public.leads add constraint leads_company_id_merged_into_id_fkey FOREIGN KEY (company_id, merged_into_id) REFERENCES public.leads(company_id, id);
alter table public.leads add constraint leads_company_id_pipeline_id_stage_id_fkey FOREIGN KEY (company_id, pipeline_id, stage_id) REFERENCES public.stages(company_id, pipeline_id, id);
alter table public.leads add constraint leads_company_id_sdr_id_fkey FOREIGN KEY (company_id, sdr_id) REFERENCES public.memberships(company_id, user_id);
alter table public.leads add constraint leads_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.users(id);
alter table public.leads add constraint leads_crm_id_check CHECK (((char_length(crm_id) >= 1) AND (char_length(crm_id) <= 120)));
alter table public.leads add constraint leads_email_check CHECK (((char_length(email) <= 254) AND (email = lower(email))));
alter table public.leads add constraint leads_job_title_check CHECK (((char_length(job_title) >= 1) AND (char_length(job_title) <= 80)));
alter table public.leads add constraint leads_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 120)));
alter table public.leads add constraint leads_need_level_check CHECK ((need_level = ANY (ARRAY['high'::text, 'medium'::text, 'low'::text, 'unknown'::text])));
alter table public.leads add constraint leads_organisation_check CHECK (((char_length(organisation) >= 1) AND (char_length(organisation) <= 120)));
alter table public.leads add constraint leads_origin_check CHECK (((char_length(origin) >= 1) AND (char_length(origin) <= 80)));
alter table public.leads add constraint leads_phone_check CHECK ((phone ~ '^[0-9]{5,15}$'::text));
alter table public.leads add constraint leads_pkey PRIMARY KEY (id);
alter table public.leads add constraint leads_potential_value_check CHECK ((potential_value >= (0)::numeric));
alter table public.leads add constraint leads_qualification_score_check CHECK (((qualification_score >= 0) AND (qualification_score <= 100)));
alter table public.leads add constraint leads_rank_check CHECK (((rank >= (10000000)::numeric) AND (rank < (100000000)::numeric)));
alter table public.leads add constraint leads_score_check CHECK (((score >= 0) AND (score <= 100)));
alter table public.leads add constraint leads_status_check CHECK ((status = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])));
alter table public.leads add constraint leads_tags_check CHECK ((cardinality(tags) <= 30));
alter table public.leads add constraint leads_temperature_check CHECK ((temperature = ANY (ARRAY['cold'::text, 'warm'::text, 'hot'::text])));
alter table public.leads add constraint leads_value_check CHECK ((value >= (0)::numeric));
alter table public.login_challenges add constraint login_challenges_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.login_challenges add constraint login_challenges_pkey PRIMARY KEY (token_hash);
alter table public.mail_accounts add constraint mail_accounts_authority_check CHECK ((char_length(authority) <= 10000));
alter table public.mail_accounts add constraint mail_accounts_check CHECK (((username IS NULL) = (sealed IS NULL)));
alter table public.mail_accounts add constraint mail_accounts_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.mail_accounts add constraint mail_accounts_host_check CHECK (((char_length(host) >= 1) AND (char_length(host) <= 253)));
alter table public.mail_accounts add constraint mail_accounts_pkey PRIMARY KEY (company_id);
alter table public.mail_accounts add constraint mail_accounts_port_check CHECK (((port >= 1) AND (port <= 65535)));
alter table public.mail_accounts add constraint mail_accounts_security_check CHECK ((security = ANY (ARRAY['tls'::text, 'starttls'::text])));
alter table public.mail_rules add constraint mail_rules_pkey PRIMARY KEY (template);
alter table public.mail_rules add constraint mail_rules_sent_by_check CHECK ((sent_by = ANY (ARRAY['student'::text, 'agent'::text, 'supervisor'::text, 'admin'::text])));
alter table public.mails add constraint mails_check CHECK (((link_purpose IS NULL) = (link_id IS NULL)));
alter table public.mails add constraint mails_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.mails add constraint mails_pkey PRIMARY KEY (id);
alter table public.mails add constraint mails_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'refused'::text, 'failed'::text])));
alter table public.memberships add constraint memberships_company_id_avatar_file_id_fkey FOREIGN KEY (company_id, avatar_file_id) REFERENCES public.files(company_id, id);
alter table public.memberships add constraint memberships_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.memberships add constraint memberships_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.memberships add constraint memberships_pkey PRIMARY KEY (company_id, user_id);
alter table public.memberships add constraint memberships_primary_active CHECK (((status = 'active'::text) OR (NOT is_primary)));
alter table public.memberships add constraint memberships_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'supervisor'::text, 'agent'::text, 'student'::text])));
alter table public.memberships add constraint memberships_status_check CHECK ((status = ANY (ARRAY['pending_approval'::text, 'active'::text, 'inactive'::text, 'removed'::text])));
alter table public.memberships add constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
alter table public.mentee_evolution_revisions add constraint mentee_evolution_revisions_company_id_evolution_id_fkey FOREIGN KEY (company_id, evolution_id) REFERENCES public.mentee_evolutions(company_id, id);
alter table public.mentee_evolution_revisions add constraint mentee_evolution_revisions_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.mentee_evolution_revisions add constraint mentee_evolution_revisions_pkey PRIMARY KEY (company_id, evolution_id, version);
alter table public.mentee_evolution_revisions add constraint mentee_evolution_revisions_told_by_fkey FOREIGN KEY (told_by) REFERENCES public.users(id);
alter table public.mentee_evolutions add constraint mentee_evolutions_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.mentee_evolutions add constraint mentee_evolutions_company_id_id_key UNIQUE (company_id, id);
alter table public.mentee_evolutions add constraint mentee_evolutions_company_id_mentee_id_fkey FOREIGN KEY (company_id, mentee_id) REFERENCES public.mentees(company_id, id);
alter table public.mentee_evolutions add constraint mentee_evolutions_entered_by_fkey FOREIGN KEY (entered_by) REFERENCES public.users(id);
alter table public.mentee_evolutions add constraint mentee_evolutions_leads_check CHECK (((leads >= 0) AND (leads <= 1000000000)));
alter table public.mentee_evolutions add constraint mentee_evolutions_month UNIQUE (company_id, mentee_id, month);
alter table public.mentee_evolutions add constraint mentee_evolutions_month_check CHECK (((month = date_trunc('month'::text, (month)::timestamp with time zone)) AND (month >= '2000-01-01'::date)));
alter table public.mentee_evolutions add constraint mentee_evolutions_notes_check CHECK ((char_length(notes) <= 5000));
alter table public.mentee_evolutions add constraint mentee_evolutions_pkey PRIMARY KEY (id);
alter table public.mentee_evolutions add constraint mentee_evolutions_revenue_check CHECK ((revenue >= (0)::numeric));
alter table public.mentee_evolutions add constraint mentee_evolutions_sales_check CHECK (((sales >= 0) AND (sales <= 1000000000)));
alter table public.mentee_evolutions add constraint mentee_evolutions_team_check CHECK (((team >= 0) AND (team <= 1000000000)));
alter table public.mentee_evolutions add constraint mentee_evolutions_updated_by_fkey FOREIGN KEY (updated_by) REFERENCES public.users(id);
alter table public.mentee_feedback add constraint mentee_feedback_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id);
alter table public.mentee_feedback add constraint mentee_feedback_check CHECK (((overall IS NOT NULL) OR (nps IS NOT NULL) OR (text <> ''::text)));
alter table public.mentee_feedback add constraint mentee_feedback_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.mentee_feedback add constraint mentee_feedback_company_id_id_key UNIQUE (company_id, id);
alter table public.mentee_feedback add constraint mentee_feedback_company_id_mentee_id_fkey FOREIGN KEY (company_id, mentee_id) REFERENCES public.mentees(company_id, id);
alter table public.mentee_feedback add constraint mentee_feedback_nps_check CHECK (((nps >= 0) AND (nps <= 10)));
alter table public.mentee_feedback add constraint mentee_feedback_overall_check CHECK (((overall >= 0) AND (overall <= 10)));
alter table public.mentee_feedback add constraint mentee_feedback_pkey PRIMARY KEY (id);
alter table public.mentee_feedback add constraint mentee_feedback_text_check CHECK ((char_length(text) <= 5000));
alter table public.mentees add constraint mentees_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.mentees add constraint mentees_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.mentees add constraint mentees_company_id_id_key UNIQUE (company_id, id);
alter table public.mentees add constraint mentees_company_id_mentor_id_fkey FOREIGN KEY (company_id, mentor_id) REFERENCES public.memberships(company_id, user_id);
alter table public.mentees add constraint mentees_company_id_merged_into_id_fkey FOREIGN KEY (company_id, merged_into_id) REFERENCES public.mentees(company_id, id);
alter table public.mentees add constraint mentees_entry_month_check CHECK ((entry_month = date_trunc('month'::text, (entry_month)::timestamp with time zone)));
alter table public.mentees add constraint mentees_goals_check CHECK ((char_length(goals) <= 5000));
alter table public.mentees add constraint mentees_pkey PRIMARY KEY (id);
alter table public.mentees add constraint mentees_status_before_check CHECK ((status_before = ANY (ARRAY['active'::text, 'paused'::text])));
alter table public.mentees add constraint mentees_status_check CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'ended'::text])));
alter table public.mentees add constraint mentees_target_revenue_check CHECK ((target_revenue >= (0)::numeric));
alter table public.mentees add constraint mentees_target_sales_check CHECK (((target_sales >= 0) AND (target_sales <= 1000000000)));
alter table public.message_templates add constraint message_templates_category_check CHECK ((category = ANY (ARRAY['authentication'::text, 'marketing'::text, 'utility'::text, 'other'::text])));
alter table public.message_templates add constraint message_templates_company_id_channel_account_id_fkey FOREIGN KEY (company_id, channel_account_id) REFERENCES public.channel_accounts(company_id, id) ON DELETE CASCADE;
alter table public.message_templates add constraint message_templates_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.message_templates add constraint message_templates_name UNIQUE (company_id, channel_account_id, name, language);
alter table public.message_templates add constraint message_templates_pkey PRIMARY KEY (id);
alter table public.message_templates add constraint message_templates_quality_check CHECK ((quality = ANY (ARRAY['green'::text, 'yellow'::text, 'red'::text])));
alter table public.message_templates add constraint message_templates_status_check CHECK ((status = ANY (ARRAY['approved'::text, 'pending'::text, 'rejected'::text, 'paused'::text, 'disabled'::text, 'deleted'::text, 'other'::text])));
alter table public.messages add constraint messages_client_message_id UNIQUE (company_id, client_message_id);
alter table public.messages add constraint messages_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.messages add constraint messages_company_id_file_id_fkey FOREIGN KEY (company_id, file_id) REFERENCES public.files(company_id, id);
alter table public.messages add constraint messages_company_id_id_key UNIQUE (company_id, id);
alter table public.messages add constraint messages_kind_check CHECK ((kind = ANY (ARRAY['text'::text, 'image'::text, 'audio'::text, 'video'::text, 'document'::text, 'sticker'::text, 'location'::text, 'contacts'::text, 'interactive'::text, 'template'::text, 'reaction'::text, 'order'::text, 'system'::text, 'unsupported'::text])));
alter table public.messages add constraint messages_pkey PRIMARY KEY (id);
alter table public.messages add constraint messages_provider_id UNIQUE (company_id, channel_account_id, provider_id);
alter table public.messages add constraint messages_sender_type_check CHECK ((sender_type = ANY (ARRAY['client'::text, 'agent'::text, 'bot'::text, 'system'::text])));
alter table public.messages add constraint messages_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text])));
alter table public.note_revisions add constraint note_revisions_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.note_revisions add constraint note_revisions_company_id_note_id_fkey FOREIGN KEY (company_id, note_id) REFERENCES public.notes(company_id, id);
alter table public.note_revisions add constraint note_revisions_pkey PRIMARY KEY (company_id, note_id, version);
alter table public.note_revisions add constraint note_revisions_replaced_by_id_fkey FOREIGN KEY (replaced_by_id) REFERENCES public.users(id);
alter table public.notes add constraint notes_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id);
alter table public.notes add constraint notes_check CHECK (((deleted_at IS NULL) = (deleted_by_id IS NULL)));
alter table public.notes add constraint notes_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.notes add constraint notes_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.notes add constraint notes_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.notes add constraint notes_company_id_id_key UNIQUE (company_id, id);
alter table public.notes add constraint notes_deleted_by_id_fkey FOREIGN KEY (deleted_by_id) REFERENCES public.users(id);
alter table public.notes add constraint notes_pkey PRIMARY KEY (id);
alter table public.notes add constraint notes_text_check CHECK (((char_length(text) >= 1) AND (char_length(text) <= 10000)));
alter table public.notification_causes add constraint notification_causes_cause_check CHECK (((char_length(cause) >= 1) AND (char_length(cause) <= 200)));
alter table public.notification_causes add constraint notification_causes_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.notification_causes add constraint notification_causes_pkey PRIMARY KEY (company_id, user_id, cause);
alter table public.notification_heads add constraint notification_heads_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.notification_heads add constraint notification_heads_pkey PRIMARY KEY (company_id, user_id);
alter table public.notification_preferences add constraint notification_preferences_check CHECK (((((quiet_from IS NULL) = (quiet_until IS NULL)) AND (quiet_from IS DISTINCT FROM quiet_until)) OR (quiet_from IS NULL)));
alter table public.notification_preferences add constraint notification_preferences_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.notification_preferences add constraint notification_preferences_mails_after_check CHECK (((mails_after >= 1) AND (mails_after <= 1440)));
alter table public.notification_preferences add constraint notification_preferences_pkey PRIMARY KEY (company_id, user_id);
alter table public.notification_types add constraint notification_types_caused_by_check CHECK ((caused_by = ANY (ARRAY['student'::text, 'agent'::text, 'supervisor'::text, 'admin'::text, 'system'::text])));
alter table public.notification_types add constraint notification_types_pkey PRIMARY KEY (type);
alter table public.notification_types add constraint notification_types_position_key UNIQUE ("position");
alter table public.notification_types add constraint notification_types_sound_check CHECK ((sound = ANY (ARRAY['message'::text, 'mention'::text, 'assignment'::text, 'alert'::text])));
alter table public.notification_types add constraint notification_types_type_check CHECK ((type ~ '^[a-z_]{1,40}$'::text));
alter table public.notification_types add constraint notification_types_words_check CHECK (((words ? 'pt-BR'::text) AND (words ? 'en'::text)));
alter table public.notifications add constraint notifications_company_id_channel_id_fkey FOREIGN KEY (company_id, channel_id) REFERENCES public.channels(company_id, id) ON DELETE CASCADE;
alter table public.notifications add constraint notifications_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id) ON DELETE CASCADE;
alter table public.notifications add constraint notifications_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE CASCADE;
alter table public.notifications add constraint notifications_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.notifications add constraint notifications_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.notifications add constraint notifications_group_key_check CHECK (((char_length(group_key) >= 1) AND (char_length(group_key) <= 200)));
alter table public.notifications add constraint notifications_pkey PRIMARY KEY (company_id, id);
alter table public.notifications add constraint notifications_type_fkey FOREIGN KEY (type) REFERENCES public.notification_types(type);
alter table public.object_removals add constraint object_removals_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.object_removals add constraint object_removals_of_company CHECK ((split_part(storage_key, '/'::text, 2) = (company_id)::text));
alter table public.object_removals add constraint object_removals_pkey PRIMARY KEY (storage_key);
alter table public.password_resets add constraint password_resets_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.password_resets add constraint password_resets_pkey PRIMARY KEY (id);
alter table public.pipelines add constraint pipelines_check CHECK (((NOT is_default) OR ((archived_at IS NULL) AND (department_id IS NULL))));
alter table public.pipelines add constraint pipelines_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id);
alter table public.pipelines add constraint pipelines_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.pipelines add constraint pipelines_company_id_id_key UNIQUE (company_id, id);
alter table public.pipelines add constraint pipelines_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 80)));
alter table public.pipelines add constraint pipelines_pkey PRIMARY KEY (id);
alter table public.presence_corrections add constraint presence_corrections_by_id_fkey FOREIGN KEY (by_id) REFERENCES public.users(id);
alter table public.presence_corrections add constraint presence_corrections_company_id_interval_id_fkey FOREIGN KEY (company_id, interval_id) REFERENCES public.presence_intervals(company_id, id);
alter table public.presence_corrections add constraint presence_corrections_note_check CHECK (((char_length(note) >= 1) AND (char_length(note) <= 500)));
alter table public.presence_corrections add constraint presence_corrections_pkey PRIMARY KEY (id);
alter table public.presence_intervals add constraint presence_intervals_apart EXCLUDE USING gist (company_id WITH =, user_id WITH =, tstzrange(started_at, ended_at) WITH &&);
alter table public.presence_intervals add constraint presence_intervals_cause_check CHECK ((cause = ANY (ARRAY['connect'::text, 'ping'::text, 'set'::text, 'break'::text, 'corrected'::text])));
alter table public.presence_intervals add constraint presence_intervals_check CHECK ((started_at <= ended_at));
alter table public.presence_intervals add constraint presence_intervals_check1 CHECK (((reason IS NOT NULL) = (state = 'break'::text)));
alter table public.presence_intervals add constraint presence_intervals_company_id_id_key UNIQUE (company_id, id);
alter table public.presence_intervals add constraint presence_intervals_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.presence_intervals add constraint presence_intervals_end_cause_check CHECK ((end_cause = ANY (ARRAY['set'::text, 'disconnect'::text, 'revoked'::text, 'lapsed'::text, 'corrected'::text])));
alter table public.presence_intervals add constraint presence_intervals_pkey PRIMARY KEY (id);
alter table public.presence_intervals add constraint presence_intervals_reason_check CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 40)));
alter table public.presence_intervals add constraint presence_intervals_state_check CHECK ((state = ANY (ARRAY['online'::text, 'away'::text, 'busy'::text, 'break'::text])));
alter table public.presence_leases add constraint presence_leases_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id) ON DELETE CASCADE;
alter table public.presence_leases add constraint presence_leases_pkey PRIMARY KEY (connection_id);
alter table public.presence_leases add constraint presence_leases_status_check CHECK ((status = ANY (ARRAY['online'::text, 'away'::text, 'busy'::text, 'break'::text])));
alter table public.protocol_blocks add constraint protocol_blocks_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.protocol_blocks add constraint protocol_blocks_pkey PRIMARY KEY (company_id, day, block);
alter table public.protocol_blocks add constraint protocol_blocks_used_check CHECK (((used >= 1) AND (used <= 100)));
alter table public.quick_replies add constraint quick_replies_check CHECK ((num_nonnulls(owner_id, department_id) <= 1));
alter table public.quick_replies add constraint quick_replies_company_id_department_id_fkey FOREIGN KEY (company_id, department_id) REFERENCES public.departments(company_id, id);
alter table public.quick_replies add constraint quick_replies_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.quick_replies add constraint quick_replies_company_id_id_key UNIQUE (company_id, id);
alter table public.quick_replies add constraint quick_replies_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.users(id);
alter table public.quick_replies add constraint quick_replies_file_ids_check CHECK ((cardinality(file_ids) <= 5));
alter table public.quick_replies add constraint quick_replies_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.users(id);
alter table public.quick_replies add constraint quick_replies_pkey PRIMARY KEY (id);
alter table public.quick_replies add constraint quick_replies_shortcut_check CHECK ((shortcut ~ '^[a-z0-9_-]{1,32}$'::text));
alter table public.quick_replies add constraint quick_replies_shortcut_key UNIQUE NULLS NOT DISTINCT (company_id, owner_id, department_id, shortcut);
alter table public.quick_replies add constraint quick_replies_text_check CHECK (((char_length(text) >= 1) AND (char_length(text) <= 4096)));
alter table public.quick_replies add constraint quick_replies_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 80)));
alter table public.quick_reply_uses add constraint quick_reply_uses_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.quick_reply_uses add constraint quick_reply_uses_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.messages(company_id, id) ON DELETE CASCADE;
alter table public.quick_reply_uses add constraint quick_reply_uses_company_id_quick_reply_id_fkey FOREIGN KEY (company_id, quick_reply_id) REFERENCES public.quick_replies(company_id, id) ON DELETE CASCADE;
alter table public.quick_reply_uses add constraint quick_reply_uses_pkey PRIMARY KEY (message_id);
alter table public.recovery_codes add constraint recovery_codes_pkey PRIMARY KEY (user_id, code_hash);
alter table public.recovery_codes add constraint recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.second_factors(user_id) ON DELETE CASCADE;
alter table public.refresh_tokens add constraint refresh_tokens_pkey PRIMARY KEY (token_hash);
alter table public.refresh_tokens add constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;
alter table public.schedule_runs add constraint schedule_runs_pkey PRIMARY KEY (name);
alter table public.scheduled_chat_messages add constraint scheduled_chat_messages_company_id_channel_id_fkey FOREIGN KEY (company_id, channel_id) REFERENCES public.channels(company_id, id);
alter table public.scheduled_chat_messages add constraint scheduled_chat_messages_company_id_id_key UNIQUE (company_id, id);
alter table public.scheduled_chat_messages add constraint scheduled_chat_messages_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.chat_messages(company_id, id);
alter table public.scheduled_chat_messages add constraint scheduled_chat_messages_pkey PRIMARY KEY (id);
alter table public.scheduled_chat_messages add constraint scheduled_chat_messages_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'posted'::text, 'failed'::text, 'cancelled'::text])));
alter table public.scheduled_messages add constraint scheduled_messages_body_check CHECK (((char_length(body) <= 4096) AND ((kind <> 'text'::text) OR (body <> ''::text))));
alter table public.scheduled_messages add constraint scheduled_messages_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id) ON DELETE CASCADE;
alter table public.scheduled_messages add constraint scheduled_messages_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.scheduled_messages add constraint scheduled_messages_company_id_id_key UNIQUE (company_id, id);
alter table public.scheduled_messages add constraint scheduled_messages_company_id_message_id_fkey FOREIGN KEY (company_id, message_id) REFERENCES public.messages(company_id, id) ON DELETE SET NULL (message_id);
alter table public.scheduled_messages add constraint scheduled_messages_pkey PRIMARY KEY (id);
alter table public.scheduled_messages add constraint scheduled_messages_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text, 'cancelled'::text])));
alter table public.schema_migrations add constraint schema_migrations_pkey PRIMARY KEY (version);
alter table public.second_factors add constraint second_factors_pkey PRIMARY KEY (user_id);
alter table public.second_factors add constraint second_factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
alter table public.sessions add constraint sessions_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.sessions add constraint sessions_pkey PRIMARY KEY (id);
alter table public.stages add constraint stages_colour_check CHECK ((colour ~ '^#[0-9a-f]{6}$'::text));
alter table public.stages add constraint stages_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.stages add constraint stages_company_id_id_key UNIQUE (company_id, id);
alter table public.stages add constraint stages_company_id_pipeline_id_fkey FOREIGN KEY (company_id, pipeline_id) REFERENCES public.pipelines(company_id, id);
alter table public.stages add constraint stages_company_id_pipeline_id_id_key UNIQUE (company_id, pipeline_id, id);
alter table public.stages add constraint stages_company_id_pipeline_id_key_key UNIQUE (company_id, pipeline_id, key) DEFERRABLE INITIALLY DEFERRED;
alter table public.stages add constraint stages_company_id_pipeline_id_position_key UNIQUE (company_id, pipeline_id, "position") DEFERRABLE INITIALLY DEFERRED;
alter table public.stages add constraint stages_key_check CHECK ((key ~ '^[a-z][a-z0-9_]{0,39}$'::text));
alter table public.stages add constraint stages_kind_check CHECK ((kind = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])));
alter table public.stages add constraint stages_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 60)));
alter table public.stages add constraint stages_pkey PRIMARY KEY (id);
alter table public.stages add constraint stages_required_fields_check CHECK ((cardinality(required_fields) <= 30));
alter table public.stages add constraint stages_rotting_days_check CHECK (((rotting_days >= 1) AND (rotting_days <= 365)));
alter table public.tags add constraint tags_colour_check CHECK ((colour ~ '^#[0-9a-f]{6}$'::text));
alter table public.tags add constraint tags_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.tags add constraint tags_company_id_id_key UNIQUE (company_id, id);
alter table public.tags add constraint tags_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 40)));
alter table public.tags add constraint tags_pkey PRIMARY KEY (id);
alter table public.tasks add constraint tasks_cause UNIQUE (company_id, cause);
alter table public.tasks add constraint tasks_check CHECK (((completed_at IS NULL) = (completed_by IS NULL)));
alter table public.tasks add constraint tasks_check1 CHECK (((recurrence IS NULL) OR ((due_at IS NOT NULL) AND (series_at IS NOT NULL))));
alter table public.tasks add constraint tasks_company_id_client_id_fkey FOREIGN KEY (company_id, client_id) REFERENCES public.clients(company_id, id);
alter table public.tasks add constraint tasks_company_id_conversation_id_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES public.conversations(company_id, id);
alter table public.tasks add constraint tasks_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.tasks add constraint tasks_company_id_id_key UNIQUE (company_id, id);
alter table public.tasks add constraint tasks_company_id_lead_id_fkey FOREIGN KEY (company_id, lead_id) REFERENCES public.leads(company_id, id);
alter table public.tasks add constraint tasks_company_id_mentee_id_fkey FOREIGN KEY (company_id, mentee_id) REFERENCES public.mentees(company_id, id);
alter table public.tasks add constraint tasks_company_id_owner_id_fkey FOREIGN KEY (company_id, owner_id) REFERENCES public.memberships(company_id, user_id);
alter table public.tasks add constraint tasks_completed_by_fkey FOREIGN KEY (completed_by) REFERENCES public.users(id);
alter table public.tasks add constraint tasks_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id);
alter table public.tasks add constraint tasks_given_by_fkey FOREIGN KEY (given_by) REFERENCES public.users(id);
alter table public.tasks add constraint tasks_kind_check CHECK ((kind = ANY (ARRAY['call'::text, 'message'::text, 'generic'::text])));
alter table public.tasks add constraint tasks_notes_check CHECK ((char_length(notes) <= 5000));
alter table public.tasks add constraint tasks_occurrence_check CHECK ((occurrence >= 0));
alter table public.tasks add constraint tasks_pkey PRIMARY KEY (id);
alter table public.tasks add constraint tasks_recurrence_check CHECK ((recurrence = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])));
alter table public.tasks add constraint tasks_result_check CHECK ((char_length(result) <= 5000));
alter table public.tasks add constraint tasks_series UNIQUE (company_id, series_id, occurrence);
alter table public.tasks add constraint tasks_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200)));
alter table public.unrouted_webhooks add constraint unrouted_webhooks_holder_id_fkey FOREIGN KEY (holder_id) REFERENCES public.companies(id);
alter table public.unrouted_webhooks add constraint unrouted_webhooks_pkey PRIMARY KEY (id);
alter table public.users add constraint users_email_check CHECK ((email = lower(email)));
alter table public.users add constraint users_email_key UNIQUE (email);
alter table public.users add constraint users_name_check CHECK ((name <> ''::text));
alter table public.users add constraint users_pkey PRIMARY KEY (id);
alter table public.views add constraint views_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id);
alter table public.views add constraint views_company_id_id_key UNIQUE (company_id, id);
alter table public.views add constraint views_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES public.users(id);
alter table public.views add constraint views_filters_check CHECK ((jsonb_typeof(filters) = 'object'::text));
alter table public.views add constraint views_kind_check CHECK ((kind = ANY (ARRAY['conversations'::text, 'leads'::text])));
alter table public.views add constraint views_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 60)));
alter table public.views add constraint views_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.users(id);
alter table public.views add constraint views_pkey PRIMARY KEY (id);
alter table public.web_push_subscriptions add constraint web_push_subscriptions_auth_check CHECK ((octet_length(auth) = 16));
alter table public.web_push_subscriptions add constraint web_push_subscriptions_company_id_endpoint_hash_key UNIQUE (company_id, endpoint_hash);
alter table public.web_push_subscriptions add constraint web_push_subscriptions_company_id_user_id_fkey FOREIGN KEY (company_id, user_id) REFERENCES public.memberships(company_id, user_id);
alter table public.web_push_subscriptions add constraint web_push_subscriptions_device_check CHECK (((char_length(device) >= 1) AND (char_length(device) <= 100)));
alter table public.web_push_subscriptions add constraint web_push_subscriptions_endpoint_check CHECK (((char_length(endpoint) >= 1) AND (char_length(endpoint) <= 2000)));
alter table public.web_push_subscriptions add constraint web_push_subscriptions_one_person EXCLUDE USING gist (endpoint_hash WITH =, user_id WITH <>);
alter table public.web_push_subscriptions add constraint web_push_subscriptions_p256dh_check CHECK ((octet_length(p256dh) = 65));
alter table public.web_push_subscriptions add constraint web_push_subscriptions_pkey PRIMARY KEY (id);
alter table public.web_push_subscriptions add constraint web_push_subscriptions_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

-- indexes

CREATE INDEX address_book_names_received ON public.address_book_names USING btree (received_at);
CREATE INDEX ai_runs_conversation ON public.ai_runs USING btree (company_id, conversation_id) WHERE (conversation_id IS NOT NULL);
CREATE INDEX ai_runs_day ON public.ai_runs USING btree (company_id, day, purpose);
CREATE INDEX ai_runs_running ON public.ai_runs USING btree (created_at) WHERE (settled_at IS NULL);
CREATE INDEX ai_runs_user ON public.ai_runs USING btree (company_id, user_id) WHERE (user_id IS NOT NULL);
CREATE INDEX ai_runs_work ON public.ai_runs USING btree (company_id, work, created_at DESC) WHERE (work IS NOT NULL);
CREATE INDEX bot_flows_author ON public.bot_flows USING btree (company_id, author_id) WHERE (author_id IS NOT NULL);
CREATE INDEX bot_steps_at ON public.bot_steps USING btree (company_id, at);
CREATE INDEX bot_steps_conversation ON public.bot_steps USING btree (company_id, conversation_id, id);
CREATE INDEX channel_accounts_account ON public.channel_accounts USING btree (kind, account_key) WHERE (account_key IS NOT NULL);
CREATE UNIQUE INDEX channel_accounts_botconversa ON public.channel_accounts USING btree (account_key) WHERE ((kind = 'botconversa'::text) AND (removed_at IS NULL));
CREATE INDEX channel_accounts_department ON public.channel_accounts USING btree (company_id, department_id);
CREATE UNIQUE INDEX channel_accounts_instance ON public.channel_accounts USING btree (account_key) WHERE ((kind = 'evolution'::text) AND (removed_at IS NULL));
CREATE UNIQUE INDEX channel_accounts_instance_id ON public.channel_accounts USING btree (instance_id) WHERE ((kind = 'evolution'::text) AND (removed_at IS NULL));
CREATE UNIQUE INDEX channel_accounts_instance_name ON public.channel_accounts USING btree (company_id, lower(name)) WHERE ((kind = 'evolution'::text) AND (removed_at IS NULL));
CREATE INDEX channel_accounts_previous_key ON public.channel_accounts USING btree (kind, previous_key) WHERE (previous_key IS NOT NULL);
CREATE INDEX channel_credentials_key ON public.channel_credentials USING btree (app.sealed_with(sealed));
CREATE INDEX channel_members_user ON public.channel_members USING btree (company_id, user_id, channel_id) INCLUDE (read_place);
CREATE UNIQUE INDEX channel_notices_once ON public.channel_notices USING btree (company_id, md5((content)::text));
CREATE INDEX channel_notices_recent ON public.channel_notices USING btree (company_id, at DESC);
CREATE INDEX channels_created ON public.channels USING btree (company_id, created_at, id);
CREATE UNIQUE INDEX channels_general ON public.channels USING btree (company_id) WHERE is_general;
CREATE UNIQUE INDEX channels_name ON public.channels USING btree (company_id, name_key) WHERE (archived_at IS NULL);
CREATE UNIQUE INDEX channels_people ON public.channels USING btree (company_id, members_key);
CREATE INDEX chat_mentions_at ON public.chat_mentions USING btree (company_id, user_id, at DESC, message_id DESC);
CREATE INDEX chat_mentions_place ON public.chat_mentions USING btree (company_id, user_id, channel_id, place);
CREATE INDEX chat_mentions_threads ON public.chat_mentions USING btree (company_id, user_id, root_id, thread_place) WHERE (root_id IS NOT NULL);
CREATE INDEX chat_message_files_message ON public.chat_message_files USING btree (company_id, message_id);
CREATE INDEX chat_messages_at ON public.chat_messages USING btree (company_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX chat_messages_author ON public.chat_messages USING btree (company_id, author_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX chat_messages_client ON public.chat_messages USING btree (company_id, author_id, channel_id, client_message_id);
CREATE UNIQUE INDEX chat_messages_place ON public.chat_messages USING btree (company_id, channel_id, place);
CREATE UNIQUE INDEX chat_messages_thread ON public.chat_messages USING btree (company_id, root_id, thread_place) WHERE (root_id IS NOT NULL);
CREATE INDEX chat_messages_words ON public.chat_messages USING gin (app.stems(company_id, app.searchable(body))) WITH (fastupdate=off) WHERE ((body <> ''::text) AND (deleted_at IS NULL));
CREATE INDEX chat_pins_channel ON public.chat_pins USING btree (company_id, channel_id, pinned_at DESC, message_id DESC);
CREATE INDEX chat_thread_followers_user ON public.chat_thread_followers USING btree (company_id, user_id, channel_id) WHERE is_following;
CREATE INDEX client_consents_client ON public.client_consents USING btree (company_id, client_id, purpose, channel, at DESC, granted);
CREATE UNIQUE INDEX client_consents_once ON public.client_consents USING btree (company_id, md5((proof)::text));
CREATE INDEX client_files_client ON public.client_files USING btree (company_id, client_id, added_at DESC, file_id DESC);
CREATE INDEX client_identities_client ON public.client_identities USING btree (company_id, client_id);
CREATE INDEX client_identities_value ON public.client_identities USING gin (company_id, value public.gin_trgm_ops) WITH (fastupdate=off);
CREATE INDEX client_import_rows_left ON public.client_import_rows USING btree (company_id, import_id, client_id) WHERE (NOT is_undone);
CREATE INDEX client_imports_at ON public.client_imports USING btree (company_id, created_at, id);
CREATE INDEX client_imports_finished ON public.client_imports USING btree (finished_at);
CREATE INDEX client_merges_client ON public.client_merges USING btree (company_id, client_id, at DESC);
CREATE INDEX client_merges_merged ON public.client_merges USING btree (company_id, merged_client_id);
CREATE INDEX clients_archived ON public.clients USING btree (company_id, created_at, id) WHERE ((archived_at IS NOT NULL) AND (merged_into_id IS NULL));
CREATE INDEX clients_blocked ON public.clients USING btree (company_id, created_at, id) WHERE ((blocked_at IS NOT NULL) AND (merged_into_id IS NULL));
CREATE UNIQUE INDEX clients_document ON public.clients USING btree (company_id, document text_pattern_ops) WHERE ((document IS NOT NULL) AND (merged_into_id IS NULL));
CREATE INDEX clients_email ON public.clients USING btree (company_id, lower(email)) WHERE (email IS NOT NULL);
CREATE INDEX clients_merged ON public.clients USING btree (company_id, merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE INDEX clients_name ON public.clients USING gin (company_id, app.searchable(name) public.gin_trgm_ops) WITH (fastupdate=off);
CREATE INDEX clients_newest ON public.clients USING btree (company_id, created_at, id) WHERE ((archived_at IS NULL) AND (merged_into_id IS NULL));
CREATE INDEX clients_tags ON public.clients USING gin (company_id, tags) WITH (fastupdate=off) WHERE (tags <> '{}'::text[]);
CREATE INDEX companies_founder ON public.companies USING btree (founded_by) WHERE (founded_by IS NOT NULL);
CREATE INDEX companies_idle ON public.companies USING btree (id) WHERE (idle_minutes IS NOT NULL);
CREATE INDEX company_emoji_file ON public.company_emoji USING btree (company_id, file_id);
CREATE UNIQUE INDEX company_emoji_name ON public.company_emoji USING btree (company_id, name);
CREATE INDEX company_secrets_key ON public.company_secrets USING btree (app.sealed_with(sealed));
CREATE INDEX conversation_handlers_user ON public.conversation_handlers USING btree (company_id, user_id, conversation_id);
CREATE INDEX conversation_insights_conversation ON public.conversation_insights USING btree (company_id, conversation_id, kind, id);
CREATE INDEX conversation_insights_run ON public.conversation_insights USING btree (company_id, run_id);
CREATE INDEX conversation_preferences_conversation ON public.conversation_preferences USING btree (company_id, conversation_id);
CREATE INDEX conversation_preferences_muted ON public.conversation_preferences USING btree (muted_until);
CREATE INDEX conversation_transfers_conversation ON public.conversation_transfers USING btree (company_id, conversation_id, at DESC, id DESC);
CREATE INDEX conversation_transfers_taken ON public.conversation_transfers USING btree (company_id, by_user_id, at) INCLUDE (conversation_id, to_user_id) WHERE (to_user_id IS NOT NULL);
CREATE INDEX conversations_assignee ON public.conversations USING btree (company_id, assignee_id, last_message_at DESC, id DESC) INCLUDE (status, department_id, participant_ids);
CREATE INDEX conversations_client ON public.conversations USING btree (company_id, client_id, started_at DESC);
CREATE INDEX conversations_department_open ON public.conversations USING btree (company_id, department_id, id) WHERE (ended_at IS NULL);
CREATE INDEX conversations_ended ON public.conversations USING btree (company_id, ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX conversations_held ON public.conversations USING btree (company_id, assignee_id) WHERE (status = 'active'::text);
CREATE INDEX conversations_imported_of ON public.conversations USING btree (company_id, channel_account_id, client_id) WHERE (imported_at IS NOT NULL);
CREATE INDEX conversations_inbox ON public.conversations USING btree (company_id, status, last_message_at DESC, id DESC) INCLUDE (assignee_id, department_id, participant_ids);
CREATE INDEX conversations_merged ON public.conversations USING btree (company_id, merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE UNIQUE INDEX conversations_open ON public.conversations USING btree (company_id, channel_account_id, client_id) WHERE (ended_at IS NULL);
CREATE INDEX conversations_participants ON public.conversations USING gin (company_id, participant_ids) WITH (fastupdate=off) WHERE (participant_ids <> '{}'::uuid[]);
CREATE UNIQUE INDEX conversations_protocol ON public.conversations USING btree (company_id, protocol);
CREATE INDEX conversations_recent ON public.conversations USING btree (company_id, last_message_at DESC, id DESC) INCLUDE (assignee_id, department_id, participant_ids);
CREATE INDEX conversations_snoozed ON public.conversations USING btree (company_id, last_message_at DESC, id DESC) WHERE (snoozed_at IS NOT NULL);
CREATE INDEX conversations_tags ON public.conversations USING gin (company_id, tags) WITH (fastupdate=off) WHERE (tags <> '{}'::text[]);
CREATE INDEX conversations_waiting ON public.conversations USING btree (company_id, department_id, array_position(ARRAY['urgent'::text, 'high'::text, 'normal'::text, 'low'::text], priority), pending_since, id) WHERE (status = 'pending'::text);
CREATE INDEX crm_conflicts_newest ON public.crm_conflicts USING btree (company_id, created_at, id);
CREATE UNIQUE INDEX crm_conflicts_open ON public.crm_conflicts USING btree (company_id, lead_id, COALESCE(field, ''::text)) WHERE (resolved_at IS NULL);
CREATE INDEX department_members_user ON public.department_members USING btree (company_id, user_id);
CREATE INDEX departments_moved_to ON public.departments USING btree (company_id, moved_to_id) WHERE (moved_to_id IS NOT NULL);
CREATE UNIQUE INDEX departments_name_key ON public.departments USING btree (company_id, app.look(name)) WHERE (deleted_at IS NULL);
CREATE INDEX evolution_instances_due ON public.evolution_instances USING btree (told_at);
CREATE INDEX external_api_usage_at ON public.external_api_usage USING btree (company_id, at);
CREATE INDEX files_content ON public.files USING btree (company_id, sha256, size) WHERE (status = 'ready'::text);
CREATE INDEX files_pending ON public.files USING btree (created_at) WHERE (status = 'pending'::text);
CREATE UNIQUE INDEX files_poster_key ON public.files USING btree (poster_key) WHERE (poster_key IS NOT NULL);
CREATE INDEX files_storage_key ON public.files USING btree (storage_key);
CREATE UNIQUE INDEX files_thumb_key ON public.files USING btree (thumb_key) WHERE (thumb_key IS NOT NULL);
CREATE INDEX first_answers_person ON public.first_answers USING btree (company_id, user_id, answered_at) INCLUDE (asked_at);
CREATE INDEX followup_executions_lead ON public.followup_executions USING btree (company_id, lead_id, started_at, id);
CREATE INDEX followup_executions_newest ON public.followup_executions USING btree (company_id, started_at, id);
CREATE UNIQUE INDEX followup_executions_open ON public.followup_executions USING btree (company_id, sequence_id, lead_id) WHERE (finished_at IS NULL);
CREATE INDEX followup_executions_sequence ON public.followup_executions USING btree (company_id, sequence_id, status, started_at, id);
CREATE INDEX followup_logs_execution ON public.followup_logs USING btree (company_id, execution_id, at, id);
CREATE INDEX followup_sequences_active ON public.followup_sequences USING btree (company_id, id) WHERE (is_active AND (deleted_at IS NULL));
CREATE INDEX followup_sequences_channel_account ON public.followup_sequences USING btree (company_id, channel_account_id) WHERE (channel_account_id IS NOT NULL);
CREATE UNIQUE INDEX followup_sequences_name ON public.followup_sequences USING btree (company_id, app.look(name)) WHERE (deleted_at IS NULL);
CREATE INDEX followup_sequences_newest ON public.followup_sequences USING btree (company_id, created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);
CREATE INDEX inbound_webhooks_left ON ONLY public.inbound_webhooks USING btree (company_id, channel_account_id, received_at) WHERE ((outcome IS NULL) AND (left_at IS NOT NULL));
CREATE INDEX inbound_webhooks_open ON ONLY public.inbound_webhooks USING btree (received_at) WHERE ((outcome IS NULL) AND (left_at IS NULL));
CREATE INDEX inbound_webhooks_recent ON ONLY public.inbound_webhooks USING btree (company_id, received_at DESC);
CREATE INDEX integration_calls_channel ON public.integration_calls USING btree (company_id, channel_account_id, at DESC) INCLUDE (operation, status, error_code);
CREATE INDEX integration_calls_old ON public.integration_calls USING btree (at);
CREATE INDEX integration_calls_recent ON public.integration_calls USING btree (company_id, at DESC, id DESC);
CREATE UNIQUE INDEX invites_open ON public.invites USING btree (company_id, email) WHERE ((used_at IS NULL) AND (revoked_at IS NULL));
CREATE INDEX invites_recent ON public.invites USING btree (company_id, created_at DESC, id DESC);
CREATE INDEX job_progress_finished ON public.job_progress USING btree (finished_at);
CREATE UNIQUE INDEX job_progress_going ON public.job_progress USING btree (company_id, kind, key) WHERE (finished_at IS NULL);
CREATE INDEX job_progress_started_by ON public.job_progress USING btree (company_id, started_by);
CREATE INDEX jobs_due ON public.jobs USING btree (run_at) WHERE (finished_at IS NULL);
CREATE INDEX jobs_failed ON public.jobs USING btree (company_id, finished_at DESC, id DESC) WHERE failed;
CREATE INDEX jobs_failed_at ON public.jobs USING btree (finished_at) WHERE failed;
CREATE INDEX jobs_failed_of_kind ON public.jobs USING btree (company_id, kind, finished_at, id) WHERE failed;
CREATE INDEX jobs_finished ON public.jobs USING btree (finished_at) WHERE ((finished_at IS NOT NULL) AND (NOT failed));
CREATE INDEX jobs_lane ON public.jobs USING btree (company_id, queue, lane, number) WHERE (finished_at IS NULL);
CREATE INDEX jobs_sent ON public.jobs USING btree (company_id, queue, lane) WHERE ((finished_at IS NULL) AND (dispatched_at IS NOT NULL));
CREATE INDEX jobs_sent_at ON public.jobs USING btree (dispatched_at) WHERE (finished_at IS NULL);
CREATE INDEX jobs_waiting ON public.jobs USING btree (company_id, queue, run_at, number) WHERE ((finished_at IS NULL) AND (dispatched_at IS NULL));
CREATE UNIQUE INDEX jobs_waiting_key ON public.jobs USING btree (company_id, kind, key) WHERE ((key IS NOT NULL) AND (finished_at IS NULL));
CREATE INDEX knowledge_articles_created ON public.knowledge_articles USING btree (company_id, created_at DESC, id DESC) WHERE (removed_at IS NULL);
CREATE INDEX knowledge_articles_title ON public.knowledge_articles USING btree (company_id, title_key) WHERE (removed_at IS NULL);
CREATE INDEX knowledge_import_rows_article ON public.knowledge_import_rows USING btree (company_id, article_id);
CREATE INDEX knowledge_misses_at ON public.knowledge_misses USING btree (company_id, at);
CREATE INDEX knowledge_proposals_created ON public.knowledge_proposals USING btree (company_id, state, created_at DESC, id DESC);
CREATE INDEX knowledge_terms_term ON public.knowledge_terms USING btree (company_id, term) INCLUDE (article_id, weight, audience, valid_from, valid_until);
CREATE INDEX knowledge_uses_conversation ON public.knowledge_uses USING btree (company_id, conversation_id) WHERE (conversation_id IS NOT NULL);
CREATE INDEX knowledge_uses_failed ON public.knowledge_uses USING btree (company_id, created_at) WHERE ((NOT helped) AND (query IS NOT NULL));
CREATE INDEX knowledge_vocabulary_alike ON public.knowledge_vocabulary USING gin (company_id, term public.gin_trgm_ops) WITH (fastupdate=off);
CREATE INDEX known_devices_age ON public.known_devices USING btree (last_seen_at);
CREATE INDEX lead_automations_lead ON public.lead_automations USING btree (company_id, lead_id, at, id);
CREATE INDEX lead_changes_lead ON public.lead_changes USING btree (company_id, lead_id, at, id);
CREATE INDEX lead_import_rows_lead ON public.lead_import_rows USING btree (company_id, lead_id);
CREATE INDEX lead_import_rows_left ON public.lead_import_rows USING btree (company_id, import_id, lead_id) WHERE (NOT is_undone);
CREATE INDEX lead_imports_at ON public.lead_imports USING btree (company_id, created_at, id);
CREATE INDEX lead_imports_finished ON public.lead_imports USING btree (finished_at);
CREATE INDEX lead_interactions_at ON public.lead_interactions USING btree (company_id, at, id);
CREATE UNIQUE INDEX lead_interactions_day ON public.lead_interactions USING btree (company_id, lead_id, day) WHERE (day IS NOT NULL);
CREATE INDEX lead_interactions_lead ON public.lead_interactions USING btree (company_id, lead_id, at, id);
CREATE INDEX lead_merges_lead ON public.lead_merges USING btree (company_id, lead_id, at, id);
CREATE UNIQUE INDEX lead_merges_merged ON public.lead_merges USING btree (company_id, merged_id) WHERE (undone_at IS NULL);
CREATE INDEX lead_proposals_lead ON public.lead_proposals USING btree (company_id, lead_id, created_at, id);
CREATE INDEX lead_stages_entered ON public.lead_stages USING btree (company_id, pipeline_id, entered_at);
CREATE INDEX lead_stages_lead ON public.lead_stages USING btree (company_id, lead_id, entered_at, id);
CREATE UNIQUE INDEX lead_stages_now ON public.lead_stages USING btree (company_id, lead_id) WHERE (left_at IS NULL);
CREATE INDEX leads_client ON public.leads USING btree (company_id, client_id) WHERE (client_id IS NOT NULL);
CREATE INDEX leads_closed ON public.leads USING btree (company_id, closed_at, id) WHERE ((closed_at IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX leads_closer ON public.leads USING btree (company_id, closer_id, created_at, id) WHERE ((closer_id IS NOT NULL) AND (deleted_at IS NULL));
CREATE UNIQUE INDEX leads_crm ON public.leads USING btree (company_id, crm_id) WHERE ((crm_id IS NOT NULL) AND (merged_into_id IS NULL));
CREATE INDEX leads_email ON public.leads USING btree (company_id, email) WHERE ((email IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX leads_merged ON public.leads USING btree (company_id, merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE INDEX leads_newest ON public.leads USING btree (company_id, created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX leads_phone ON public.leads USING btree (company_id, phone) WHERE ((phone IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX leads_pipeline ON public.leads USING btree (company_id, pipeline_id, stage_id);
CREATE UNIQUE INDEX leads_rank ON public.leads USING btree (company_id, stage_id, rank) WHERE (deleted_at IS NULL);
CREATE INDEX leads_sdr ON public.leads USING btree (company_id, sdr_id, created_at, id) WHERE ((sdr_id IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX leads_search ON public.leads USING gin (company_id, app.searchable(((((((name || ' '::text) || COALESCE(email, ''::text)) || ' '::text) || COALESCE(organisation, ''::text)) || ' '::text) || COALESCE(phone, ''::text))) public.gin_trgm_ops);
CREATE INDEX leads_tags ON public.leads USING gin (company_id, tags) WITH (fastupdate=off) WHERE (tags <> '{}'::text[]);
CREATE INDEX leads_to_score ON public.leads USING btree (company_id, scored_at, id) WHERE ((status = 'open'::text) AND (deleted_at IS NULL));
CREATE INDEX login_challenges_age ON public.login_challenges USING btree (expires_at);
CREATE INDEX login_challenges_member ON public.login_challenges USING btree (company_id, user_id);
CREATE INDEX mail_accounts_key ON public.mail_accounts USING btree (app.sealed_with(sealed)) WHERE (sealed IS NOT NULL);
CREATE INDEX mails_age ON public.mails USING btree (created_at);
CREATE INDEX mails_of_link ON public.mails USING btree (company_id, link_id) WHERE (link_id IS NOT NULL);
CREATE INDEX mails_recent ON public.mails USING btree (company_id, created_at DESC, id DESC);
CREATE INDEX memberships_admins ON public.memberships USING btree (company_id) WHERE ((role = 'admin'::text) AND (status = 'active'::text));
CREATE INDEX memberships_avatar ON public.memberships USING btree (company_id, avatar_file_id) WHERE (avatar_file_id IS NOT NULL);
CREATE INDEX memberships_client ON public.memberships USING btree (company_id, client_id) WHERE (client_id IS NOT NULL);
CREATE UNIQUE INDEX memberships_primary ON public.memberships USING btree (user_id) WHERE is_primary;
CREATE INDEX memberships_user ON public.memberships USING btree (user_id);
CREATE INDEX mentee_feedback_date ON public.mentee_feedback USING btree (company_id, date);
CREATE INDEX mentee_feedback_mentee ON public.mentee_feedback USING btree (company_id, mentee_id, created_at, id);
CREATE INDEX mentees_at ON public.mentees USING btree (company_id, created_at, id);
CREATE INDEX mentees_client ON public.mentees USING btree (company_id, client_id);
CREATE UNIQUE INDEX mentees_client_key ON public.mentees USING btree (company_id, client_id) WHERE (status <> 'ended'::text);
CREATE INDEX mentees_mentor ON public.mentees USING btree (company_id, mentor_id, created_at, id);
CREATE INDEX mentees_merged ON public.mentees USING btree (company_id, merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE INDEX message_templates_newest ON public.message_templates USING btree (company_id, created_at DESC, id DESC);
CREATE INDEX message_templates_provider ON public.message_templates USING btree (company_id, provider_id);
CREATE INDEX messages_conversation ON public.messages USING btree (company_id, conversation_id, sent_at DESC, id DESC);
CREATE INDEX messages_file ON public.messages USING btree (company_id, file_id) WHERE (file_id IS NOT NULL);
CREATE INDEX messages_files ON public.messages USING btree (company_id, conversation_id, sent_at DESC, id DESC) WHERE (file_id IS NOT NULL);
CREATE INDEX messages_inbound ON public.messages USING btree (company_id, channel_account_id, sent_at DESC) WHERE (sender_type = 'client'::text);
CREATE INDEX messages_of_agent ON public.messages USING btree (company_id, sender_id, sent_at) INCLUDE (conversation_id) WHERE ((sender_type = 'agent'::text) AND (kind <> 'reaction'::text) AND (NOT (payload ? 'automatic'::text)));
CREATE INDEX messages_said ON public.messages USING btree (company_id, sent_at DESC, id DESC) WHERE ((body <> ''::text) AND (deleted_at IS NULL) AND (sender_type <> 'system'::text) AND (kind <> 'reaction'::text));
CREATE INDEX messages_words ON public.messages USING gin (conversation_id, app.stems(company_id, app.searchable(body))) WITH (fastupdate=off) WHERE ((body <> ''::text) AND (deleted_at IS NULL));
CREATE INDEX notes_at ON public.notes USING btree (company_id, created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX notes_client ON public.notes USING btree (company_id, client_id, created_at, id);
CREATE INDEX notes_conversation ON public.notes USING btree (company_id, conversation_id, created_at, id);
CREATE INDEX notes_text ON public.notes USING gin (company_id, app.searchable(text) public.gin_trgm_ops);
CREATE INDEX notification_causes_old ON public.notification_causes USING btree (at);
CREATE INDEX notification_causes_source ON public.notification_causes USING btree (company_id, source_id) WHERE (source_id IS NOT NULL);
CREATE INDEX notifications_at ON public.notifications USING btree (company_id, user_id, at DESC, id DESC) WHERE on_screen;
CREATE INDEX notifications_channel ON public.notifications USING btree (company_id, channel_id) WHERE (channel_id IS NOT NULL);
CREATE INDEX notifications_client ON public.notifications USING btree (company_id, client_id) WHERE (client_id IS NOT NULL);
CREATE INDEX notifications_conversation ON public.notifications USING btree (company_id, conversation_id) WHERE (conversation_id IS NOT NULL);
CREATE INDEX notifications_lead ON public.notifications USING btree (company_id, lead_id) WHERE (lead_id IS NOT NULL);
CREATE INDEX notifications_old ON public.notifications USING btree (at);
CREATE INDEX notifications_source ON public.notifications USING btree (company_id, source_id) WHERE (source_id IS NOT NULL);
CREATE UNIQUE INDEX notifications_unread ON public.notifications USING btree (company_id, user_id, group_key) WHERE (read_at IS NULL);
CREATE INDEX object_removals_due ON public.object_removals USING btree (due_at);
CREATE INDEX password_resets_age ON public.password_resets USING btree (expires_at);
CREATE INDEX password_resets_member ON public.password_resets USING btree (company_id, user_id);
CREATE INDEX password_resets_person ON public.password_resets USING btree (user_id, created_at);
CREATE UNIQUE INDEX pipelines_default ON public.pipelines USING btree (company_id) WHERE is_default;
CREATE INDEX pipelines_department ON public.pipelines USING btree (company_id, department_id) WHERE (department_id IS NOT NULL);
CREATE UNIQUE INDEX pipelines_name ON public.pipelines USING btree (company_id, app.look(name)) WHERE (archived_at IS NULL);
CREATE INDEX presence_corrections_interval ON public.presence_corrections USING btree (company_id, interval_id, at);
CREATE INDEX presence_intervals_person ON public.presence_intervals USING btree (company_id, user_id, started_at DESC, ended_at DESC);
CREATE INDEX presence_leases_lapsed ON public.presence_leases USING btree (lease_until);
CREATE INDEX presence_leases_user ON public.presence_leases USING btree (company_id, user_id);
CREATE INDEX quick_replies_files ON public.quick_replies USING gin (company_id, file_ids) WITH (fastupdate=off) WHERE (file_ids <> '{}'::uuid[]);
CREATE INDEX quick_reply_uses_reply ON public.quick_reply_uses USING btree (company_id, quick_reply_id);
CREATE INDEX refresh_tokens_age ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX refresh_tokens_session ON public.refresh_tokens USING btree (session_id);
CREATE INDEX refresh_tokens_succeeds ON public.refresh_tokens USING btree (succeeds) WHERE (succeeds IS NOT NULL);
CREATE INDEX scheduled_chat_messages_due ON public.scheduled_chat_messages USING btree (company_id, author_id, due_at, id);
CREATE INDEX scheduled_messages_author ON public.scheduled_messages USING btree (company_id, author_id, due_at DESC, id DESC);
CREATE INDEX scheduled_messages_conversation ON public.scheduled_messages USING btree (company_id, conversation_id, due_at DESC, id DESC);
CREATE INDEX scheduled_messages_due ON public.scheduled_messages USING btree (company_id, due_at DESC, id DESC);
CREATE INDEX scheduled_messages_message ON public.scheduled_messages USING btree (company_id, message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX scheduled_messages_state ON public.scheduled_messages USING btree (company_id, state, due_at DESC, id DESC);
CREATE INDEX second_factors_key ON public.second_factors USING btree (app.sealed_with(secret));
CREATE INDEX sessions_ended ON public.sessions USING btree (COALESCE(revoked_at, expires_at));
CREATE INDEX sessions_family ON public.sessions USING btree (family_id);
CREATE INDEX sessions_person ON public.sessions USING btree (user_id) WHERE (revoked_at IS NULL);
CREATE INDEX sessions_user ON public.sessions USING btree (company_id, user_id) WHERE (revoked_at IS NULL);
CREATE UNIQUE INDEX tags_name ON public.tags USING btree (company_id, app.look(name));
CREATE INDEX tasks_at ON public.tasks USING btree (company_id, listed_at, id);
CREATE INDEX tasks_client ON public.tasks USING btree (company_id, client_id, listed_at, id) WHERE (client_id IS NOT NULL);
CREATE INDEX tasks_conversation ON public.tasks USING btree (company_id, conversation_id, listed_at, id) WHERE (conversation_id IS NOT NULL);
CREATE INDEX tasks_follows ON public.tasks USING btree (company_id, follows_id) WHERE (follows_id IS NOT NULL);
CREATE INDEX tasks_lead ON public.tasks USING btree (company_id, lead_id, listed_at, id) WHERE (lead_id IS NOT NULL);
CREATE INDEX tasks_mentee ON public.tasks USING btree (company_id, mentee_id, listed_at, id) WHERE (mentee_id IS NOT NULL);
CREATE INDEX tasks_open ON public.tasks USING btree (company_id, listed_at, id) WHERE (completed_at IS NULL);
CREATE INDEX tasks_open_of_owner ON public.tasks USING btree (company_id, owner_id, listed_at, id) WHERE (completed_at IS NULL);
CREATE INDEX tasks_owner ON public.tasks USING btree (company_id, owner_id, listed_at, id);
CREATE INDEX tasks_untold ON public.tasks USING btree (due_at) WHERE ((completed_at IS NULL) AND (told_due_at IS DISTINCT FROM due_at));
CREATE INDEX unrouted_webhooks_key ON public.unrouted_webhooks USING btree (source, external_key, received_at);
CREATE UNIQUE INDEX views_name_key ON public.views USING btree (company_id, kind, owner_id, app.look(name)) NULLS NOT DISTINCT;
CREATE INDEX web_push_subscriptions_person ON public.web_push_subscriptions USING btree (company_id, user_id, refreshed_at);
CREATE INDEX web_push_subscriptions_session ON public.web_push_subscriptions USING btree (session_id);

-- views

create view public.client_history with (security_invoker=true) as
 SELECT conversations.company_id,
    conversations.client_id,
    conversations.started_at AS at,
    conversations.id,
    'conversation'::text AS kind
   FROM public.conversations
  WHERE (conversations.merged_into_id IS NULL)
UNION ALL
 SELECT conversations.company_id,
    conversations.client_id,
    transfers.at,
    transfers.id,
    'transfer'::text AS kind
   FROM (public.conversations
     JOIN public.conversation_transfers transfers ON (((transfers.company_id = conversations.company_id) AND (transfers.conversation_id = conversations.id))))
UNION ALL
 SELECT client_consents.company_id,
    client_consents.client_id,
    client_consents.at,
    client_consents.id,
    'consent'::text AS kind
   FROM public.client_consents
UNION ALL
 SELECT client_merges.company_id,
    client_merges.client_id,
    client_merges.at,
    client_merges.id,
    'merge'::text AS kind
   FROM public.client_merges
UNION ALL
 SELECT notes.company_id,
    notes.client_id,
    notes.created_at AS at,
    notes.id,
    'note'::text AS kind
   FROM public.notes
  WHERE (notes.deleted_at IS NULL)
UNION ALL
 SELECT client_files.company_id,
    client_files.client_id,
    client_files.added_at AS at,
    client_files.file_id AS id,
    'file'::text AS kind
   FROM public.client_files;

create view public.lead_history with (security_invoker=true) as
 SELECT lead_changes.id,
    lead_changes.lead_id,
    'change'::text AS kind,
    lead_changes.at,
    lead_changes.by_id,
    jsonb_build_object('changes', lead_changes.changes) AS data
   FROM public.lead_changes
UNION ALL
 SELECT lead_stages.id,
    lead_stages.lead_id,
    'stage'::text AS kind,
    lead_stages.entered_at AS at,
    lead_stages.by_id,
    jsonb_build_object('stage_id', lead_stages.stage_id, 'pipeline_id', lead_stages.pipeline_id, 'name', lead_stages.stage_name, 'kind', lead_stages.stage_kind, 'left_at', app.rfc3339(lead_stages.left_at)) AS data
   FROM public.lead_stages
UNION ALL
 SELECT lead_interactions.id,
    lead_interactions.lead_id,
    'interaction'::text AS kind,
    lead_interactions.at,
    lead_interactions.author_id AS by_id,
    jsonb_build_object('source', lead_interactions.source, 'type', lead_interactions.type, 'summary', lead_interactions.summary, 'result', lead_interactions.result, 'next_step', lead_interactions.next_step) AS data
   FROM public.lead_interactions
UNION ALL
 SELECT lead_merges.id,
    lead_merges.lead_id,
    'merge'::text AS kind,
    lead_merges.at,
    lead_merges.by_id,
    jsonb_build_object('merged_lead_id', lead_merges.merged_id, 'undone_at', app.rfc3339(lead_merges.undone_at)) AS data
   FROM public.lead_merges
UNION ALL
 SELECT automations.id,
    automations.lead_id,
    'automation'::text AS kind,
    automations.at,
    NULL::uuid AS by_id,
    jsonb_build_object('automation', (automations.automation ->> 'kind'::text), 'stage_name', entries.stage_name, 'outcome', automations.outcome, 'reason', automations.reason, 'message_id', automations.message_id, 'task_id', automations.task_id, 'execution_id', automations.execution_id) AS data
   FROM (public.lead_automations automations
     JOIN public.lead_stages entries ON (((entries.company_id = automations.company_id) AND (entries.id = automations.entry_id))))
  WHERE (automations.outcome IS NOT NULL);

-- functions

CREATE OR REPLACE FUNCTION app.accept_invite(invite uuid, new_person uuid, person_name text, hash text, proved_hash text)
 RETURNS TABLE(company_id uuid, feed_cursor text, outcome text, user_id uuid)
 LANGUAGE plpgsql
AS $function$
begin
    select used.company, used.outcome, used.person into company_id, outcome, user_id
      from app.use_invite(invite, new_person, person_name, hash, proved_hash) used;
    if company_id is not null then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.add_asked_jobs()
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    to_assign uuid[];
    to_show text[];
    for_ai text[];
    entered text[];
    room integer;
    wanted record;
    job uuid;
    added jsonb := '[]';
begin
    if current_setting('role') = 'app_student'
       or coalesce(current_setting('app.departments_to_assign', true), '') = ''
      and coalesce(current_setting('app.conversations_to_show', true), '') = ''
      and coalesce(current_setting('app.work_for_ai', true), '') = ''
      and coalesce(current_setting('app.stages_entered', true), '') = '' then
        return null;
    end if;
    to_assign := nullif(current_setting('app.departments_to_assign', true), '');
    to_show := nullif(current_setting('app.conversations_to_show', true), '');
    for_ai := nullif(current_setting('app.work_for_ai', true), '');
    entered := string_to_array(nullif(current_setting('app.stages_entered', true), ''), ',');
    perform set_config('app.departments_to_assign', '', true), set_config('app.conversations_to_show', '', true),
            set_config('app.work_for_ai', '', true), set_config('app.stages_entered', '', true);
    for wanted in
        select 'assign_waiting_conversation' as kind, 'automation' as queue, app.company_id()::text as lane, department::text as key,
               jsonb_build_object('department_id', department) as payload
          from unnest(to_assign) department
         group by department
         union all
        select 'show_conversation', 'sync', 'show:' || pair, pair,
               jsonb_build_object('channel_account_id', split_part(pair, ':', 1), 'client_id', split_part(pair, ':', 2))
          from unnest(to_show) pair
         group by pair
         union all
        select split_part(work, ':', 1), 'ai', 'ai:' || split_part(work, ':', 2), split_part(work, ':', 2),
               jsonb_build_object(case split_part(work, ':', 1) when 'transcribe_message' then 'message_id' when 'analyse_conversation' then 'conversation_id'
                                  else 'company_id' end, split_part(work, ':', 2))
          from unnest(for_ai) work
         group by work
         order by kind, key
    loop
        loop
            insert into jobs (id, kind, queue, lane, key, payload, dispatched_at, dispatches)
            values (gen_random_uuid(), wanted.kind, wanted.queue, wanted.lane, wanted.key, wanted.payload, now(), 1)
            on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing
            returning id into job;
            if found then
                added := added || jsonb_build_object('id', job, 'queue', wanted.queue, 'lane', wanted.lane, 'dispatches', 1);
                exit;
            end if;
            perform from jobs
              where company_id = app.company_id() and kind = wanted.kind and key = wanted.key and finished_at is null
                for share;
            exit when found;
        end loop;
    end loop;
    if entered is not null then
        room := app.room_for_jobs(app.company_id(), 'stages');
        with placed as (
            insert into jobs (id, kind, queue, lane, key, payload, dispatched_at, dispatches)
            select gen_random_uuid(), 'run_stage_automation', 'stages', 'lead:' || split_part(entry, ':', 1), split_part(entry, ':', 2),
                   jsonb_build_object('entry_id', split_part(entry, ':', 2)), case when place <= room then now() end, (place <= room)::integer
              from unnest(entered) with ordinality entries (entry, place)
             order by place
            returning id, queue, lane, dispatches, dispatched_at
        )
        select added || coalesce(jsonb_agg(to_jsonb(placed) - 'dispatched_at'), '[]') into added from placed where dispatched_at is not null;
    end if;
    return added;
end
$function$;

CREATE OR REPLACE FUNCTION app.add_edit(revisions jsonb, body text, edit_id text, new_body text, at timestamp with time zone)
 RETURNS TABLE(revisions jsonb, body text)
 LANGUAGE sql
 STABLE
AS $function$
    with texts as (
        select revision ->> 'body' as text, (revision ->> 'until')::timestamptz as until, revision ->> 'edit_id' as edit_id, place
          from jsonb_array_elements($1) with ordinality revision_list (revision, place)
    ), edits as (
        select edit_id, until, place, lead(text, 1, $2) over (order by place) as text from texts
        union all
        select $3, $5, jsonb_array_length($1) + 1, $4
    ), ordered as (
        select edit_id, until, text, row_number() over (order by until, place) as number,
               lag(text, 1, coalesce($1 #>> '{0,body}', $2)) over (order by until, place) as text_before
          from edits
    )
    select jsonb_agg(jsonb_build_object('body', text_before, 'until', until, 'edit_id', edit_id) order by number),
           (array_agg(text order by number desc))[1]
      from ordered
$function$;

CREATE OR REPLACE FUNCTION app.add_member(company uuid, person uuid, new_role text, in_departments uuid[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    client uuid;
begin
    select client_id into client from public.memberships where company_id = company and user_id = person;
    if new_role = 'student' and client is null then
        select clients.id into client
          from public.clients
          join public.users on users.id = person and lower(clients.email) = users.email
         where clients.company_id = company
           and clients.merged_into_id is null
           and not exists (select from public.memberships where memberships.company_id = company and memberships.client_id = clients.id)
         order by clients.created_at, clients.id
         limit 1;
        if not found then
            client := gen_random_uuid();
            insert into public.clients (id, company_id, name, email)
            select client, company, users.name, users.email from public.users where users.id = person;
        end if;
        insert into public.client_identities (company_id, client_id, kind, value, address)
        values (company, client, 'student', person::text, person::text)
        on conflict (company_id, kind, value) do nothing;
    end if;
    insert into public.memberships (company_id, user_id, role, client_id) values (company, person, new_role, client)
    on conflict (company_id, user_id) do update
       set role = excluded.role, status = 'active', client_id = coalesce(memberships.client_id, excluded.client_id),
           version = memberships.version + 1;
    insert into public.department_members (company_id, department_id, user_id)
    select company, id, person from public.departments where company_id = company and id = any (in_departments) and new_role <> 'student'
    on conflict do nothing;
end
$function$;

CREATE OR REPLACE FUNCTION app.add_password_reset(reset uuid, company uuid, person uuid, by_user uuid)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
    perform pg_advisory_xact_lock(hashtextextended('password reset:' || person, 0));
    insert into password_resets (id, company_id, user_id, requested_by)
    select reset, company, person, by_user
     where (select count(*) from password_resets where user_id = person and created_at > now() - interval '30 minutes') < 3;
    return found;
end
$function$;

CREATE OR REPLACE FUNCTION app.add_session(session uuid, family uuid, company uuid, person uuid, family_ends timestamp with time zone, refresh_hash bytea, browser text, address text, request text)
 RETURNS void
 LANGUAGE sql
AS $function$
    with started as (
        insert into sessions (id, family_id, company_id, user_id, expires_at, user_agent, ip)
        values (session, family, company, person, family_ends, browser, address)
    ), audited as (
        insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
        values (company, person, 'start_session', session::text, address, browser, request)
    )
    insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
    values (refresh_hash, company, session, least(now() + interval '7 days', family_ends));
$function$;

CREATE OR REPLACE FUNCTION app.add_to_channel(channel uuid, people uuid[], OUT outcome text, OUT added uuid[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    held channels;
    is_in boolean := channel in (select app.my_channels());
begin
    added := '{}';
    select * into held from channels where company_id = app.company_id() and id = channel for no key update;
    outcome := case when not found or held.kind <> 'public' and not is_in then 'not_found'
                    when held.kind = 'direct' then 'direct'
                    when held.archived_at is not null then 'archived'
                    when people <> array[app.user_id()] and not is_in and not app.manages_channel(channel) then 'not_member'
                    when people <> array[app.user_id()] and held.is_announcement and not app.manages_channel(channel) then 'not_manager'
                    else 'done'
               end;
    if outcome = 'done' then
        with entered as (
            insert into channel_members (channel_id, user_id, read_place, added_by_id)
            select channel, person, held.last_place, app.user_id()
              from (select distinct unnest(people)) of_people (person)
             where app.no_colleagues(array[person]) = '{}'
             order by person
                on conflict do nothing
            returning user_id
        )
        select coalesce(array_agg(user_id), '{}') into added from entered;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.admit_member(person uuid, waits_as text, with_role text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    present text;
    member record;
begin
    perform app.hold_members(company);
    present := app.present_role();
    select role, status into member from memberships where company_id = company and user_id = person;
    if not found or member.status not in ('active', waits_as) then
        return 'not_found';
    elsif not app.leads(present, member.role) or not app.leads(present, coalesce(with_role, member.role)) then
        return 'forbidden';
    elsif member.status = 'active' then
        return 'unchanged';
    end if;
    perform app.hold_logins(company, person);
    update memberships set status = 'active', role = coalesce(with_role, role), version = version + 1
     where company_id = company and user_id = person;
    perform app.end_sessions_in(company, person);
    return 'done';
end
$function$;

CREATE OR REPLACE FUNCTION app.announce_member(company uuid, person uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    insert into public.events (company_id, topic, type, audience, data)
    select company, 'company:' || company, 'user.awaiting_approval', array['self:admins'],
           jsonb_build_object('user_id', users.id, 'name', users.name, 'email', users.email)
      from public.users where users.id = person;
    with admins as (
        select gen_random_uuid() as mail_id, users.email, users.name, users.locale
          from public.memberships
          join public.users on users.id = memberships.user_id
         where memberships.company_id = company and memberships.role = 'admin' and memberships.status = 'active'
           and not exists (
               select from public.mails
                where mails.company_id = company and mails.template = 'approval_asked' and mails.to_address = users.email
                  and mails.created_at > now() - interval '1 hour')
    ), queued as (
        insert into public.mails (id, company_id, template, to_address, to_name, locale, data)
        select mail_id, company, 'approval_asked', admins.email, admins.name, admins.locale,
               jsonb_build_object('person', asking.name, 'email', asking.email)
          from admins
         cross join (select name, email from public.users where users.id = person) asking
    )
    insert into public.jobs (id, company_id, kind, queue, lane, payload)
    select gen_random_uuid(), company, 'send_email', 'mail', mail_id::text, jsonb_build_object('mail_id', mail_id)
      from admins;
end
$function$;

CREATE OR REPLACE FUNCTION app.answer_feedback()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    mentee mentees;
    is_there boolean;
begin
    select * into mentee from mentees where company_id = new.company_id and id = new.mentee_id;
    is_there := exists (select from memberships
                         where company_id = new.company_id and user_id = mentee.mentor_id and status = 'active');
    perform app.notify(jsonb_build_object(
        'type', 'low_satisfaction', 'people', case when is_there then jsonb_build_array(mentee.mentor_id) else '[]' end,
        'groups', case when is_there then '[]'::jsonb else '["leaders"]' end, 'tells_actor', true,
        'cause', 'feedback:' || new.id, 'group_key', 'feedback:' || new.id, 'client_id', mentee.client_id, 'source_id', new.id,
        'facts', jsonb_build_object('variant', 'mentoring', 'rating', new.overall)));
    insert into tasks (id, company_id, kind, title, owner_id, created_by, due_at, series_id, cause, client_id, mentee_id)
    select id, new.company_id, 'call', 'Conversar sobre a nota ' || new.overall || ' da mentoria', mentee.mentor_id, null,
           now() + interval '1 day', id, 'feedback:' || new.id, mentee.client_id, mentee.id
      from (select gen_random_uuid() as id) made;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.ask_ai(setting text, work text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    asked text[] := coalesce(nullif(current_setting('app.work_for_ai', true), ''), '{}')::text[];
begin
    if work <> all (asked)
       and exists (select from bot_config
                    where company_id = app.company_id() and key = setting and is_active and value not in ('false', '""', 'null')) then
        perform set_config('app.work_for_ai', (asked || work)::text, true);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.ask_for_assignment(departments uuid[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    asked uuid[] := coalesce(nullif(current_setting('app.departments_to_assign', true), ''), '{}')::uuid[];
begin
    if not departments <@ asked then
        perform set_config('app.departments_to_assign', (asked || departments)::text, true);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.ask_for_change(message uuid, change_id uuid, what text, words text)
 RETURNS SETOF public.messages
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query
    update messages
       set change = jsonb_build_object('id', change_id, 'kind', what, 'body', words, 'status', 'queued', 'error_code', null, 'error_detail', null,
                                     'at', clock_timestamp())
     where company_id = app.company_id() and id = message
       and (sender_id = app.user_id() or app.sees_all())
       and sender_type in ('agent', 'bot') and provider_id is not null and status in ('sent', 'delivered', 'read') and kind <> 'reaction'
       and case what
               when 'edit' then kind = 'text' and deleted_at is null and body <> words and sent_at > clock_timestamp() - interval '15 minutes'
               when 'revoke' then sent_at > clock_timestamp() - interval '2 days'
               else false end
       and exists (select from channel_accounts channel
                    where channel.company_id = messages.company_id and channel.id = messages.channel_account_id
                      and channel.kind = 'evolution' and channel.removed_at is null)
    returning messages.*;
end
$function$;

CREATE OR REPLACE FUNCTION app.audiences()
 RETURNS text[]
 LANGUAGE sql
 STABLE
AS $function$ select coalesce(nullif(current_setting('app.audiences', true), '')::text[], '{}') $function$;

CREATE OR REPLACE FUNCTION app.begin_anew()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.bot_flow_id := coalesce((select bot_flow_id from public.channel_accounts where id = new.channel_account_id), new.bot_flow_id);
    new.bot_node := null;
    new.bot_fields := '{}';
    new.bot_misses := 0;
    new.bot_turns := 0;
    new.bot_job_id := null;
    new.bot_answered := new.inbound_count;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.begin_bot_call(wanted uuid)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    -- A quarter of what the queue's worker does at once.
    most constant bigint := 5;
    longest constant integer := 40;
    company constant uuid := app.company_id();
    calls bigint;
    waiting bigint;
    waited integer;
    pause integer;
begin
    perform pg_advisory_xact_lock(hashtext('bot_calls'), hashtext(company::text));
    select coalesce((payload ->> 'waited')::integer, 0) into waited from jobs where company_id = company and id = wanted;
    select count(*) filter (where leased_until > clock_timestamp() and payload ? 'began'),
           count(*) filter (where not payload ? 'began' and payload ? 'waited')
      into calls, waiting
      from jobs
     where company_id = company and queue = 'bot' and kind = 'call_for_bot' and finished_at is null and id <> wanted;
    if calls < most then
        update jobs set payload = payload || '{"began": true}' where company_id = company and id = wanted;
        return 0;
    end if;
    if waited >= longest then
        return null;
    end if;
    pause := least(1 + waiting / most, 8);
    update jobs set payload = payload || jsonb_build_object('waited', waited + pause) where company_id = company and id = wanted;
    return pause;
end
$function$;

CREATE OR REPLACE FUNCTION app.begin_object_removals(most integer)
 RETURNS SETOF text
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    update object_removals
       set begun_at = coalesce(begun_at, now())
     where storage_key in (select storage_key from object_removals
                            where due_at <= now()
                              and (select count(*) from files
                                    where files.storage_key = object_removals.storage_key and status in ('quarantined', 'ready')) = 0
                              and (select count(*) from files where files.thumb_key = object_removals.storage_key) = 0
                              and (select count(*) from files where files.poster_key = object_removals.storage_key) = 0
                            order by due_at
                            limit most for update skip locked)
    returning storage_key
$function$;

CREATE OR REPLACE FUNCTION app.begin_second_factor(sealed bytea)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into second_factors (user_id, secret) values (app.user_id(), sealed)
    on conflict (user_id) do update set secret = excluded.secret, created_at = now() where second_factors.enabled_at is null;
    return found;
end
$function$;

CREATE OR REPLACE FUNCTION app.begin_selling()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.make_first_pipeline(new.id);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.block_client(client uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
begin
    perform from conversations where company_id = company and client_id = client and ended_at is null order by id for update;
    update clients set blocked_at = now(), blocked_count = 0, version = version + 1
     where company_id = company and id = client and blocked_at is null;
    update conversations set version = version + 1
     where company_id = company and client_id = client and ended_at is null and mode = 'bot';
end
$function$;

CREATE OR REPLACE FUNCTION app.bring_client_back()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update clients set archived_at = null, version = version + 1
     where company_id = new.company_id and id = new.client_id and archived_at is not null;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.calendar_of(department uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
    found_one jsonb;
begin
    select jsonb_build_object(
               'time_zone', coalesce(own.time_zone, of_company.time_zone, companies.time_zone),
               'week', coalesce(own.week, of_company.week),
               'keeps_optional', case when own.week is null then of_company.keeps_optional else own.keeps_optional end,
               'custom', (select coalesce(jsonb_agg(jsonb_build_object('date', date, 'name', name, 'yearly', yearly) order by date, id), '[]')
                            from holidays
                           where department_id is null or department_id = department))
      into found_one
      from companies
      left join calendars own on own.company_id = companies.id and own.department_id = department
      left join calendars of_company on of_company.company_id = companies.id and of_company.department_id is null
     where companies.id = app.company_id() and coalesce(own.week, of_company.week) is not null;
    return found_one;
end
$function$;

CREATE OR REPLACE FUNCTION app.carry_participants()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if new.merged_into_id is not null then
        select array_agg(person) into new.participants_lent
          from conversations kept, unnest(new.participant_ids) person
         where kept.company_id = new.company_id and kept.id = new.merged_into_id
           and person <> all (kept.participant_ids);
        update conversations set participant_ids = (participant_ids || new.participants_lent)[:100]
         where company_id = new.company_id and id = new.merged_into_id and new.participants_lent is not null;
    else
        update conversations
           set participant_ids = array(select person from unnest(participant_ids) person where person <> all (old.participants_lent))
         where company_id = new.company_id and id = old.merged_into_id and old.participants_lent is not null;
        new.participants_lent := null;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.catalogue_tags()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    looks text[] := array(select look from (select app.look(tag) as look, min(place) as place
                                              from unnest(new.tags) with ordinality given (tag, place) group by 1) given order by place);
    spelled text[];
begin
    loop
        insert into tags (id, company_id, name)
        select gen_random_uuid(), new.company_id, tag
          from (select distinct on (app.look(tag)) tag
                  from unnest(new.tags) with ordinality given (tag, place) order by app.look(tag), place) given
        on conflict (company_id, app.look(name)) do nothing;
        with held as (
            select name from tags where company_id = new.company_id and app.look(name) = any (looks) order by id for share
        )
        select array_agg(name order by array_position(looks, app.look(name))) into spelled from held;
        exit when cardinality(spelled) = cardinality(looks);
    end loop;
    new.tags := spelled;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.change_chat_message()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    had text[] := app.mention_ways(old.mentions);
    has text[] := app.mention_ways(new.mentions);
begin
    if new.body <> old.body or new.mentions <> old.mentions or (new.deleted_at is null) <> (old.deleted_at is null) then
        new.revision := old.revision + 1;
    end if;
    if new.body <> old.body then
        insert into chat_message_revisions (company_id, message_id, revision, body, replaced_by_id)
        values (new.company_id, new.id, old.revision, old.body, app.user_id());
    end if;
    if new.deleted_at is not null and old.deleted_at is null then
        delete from chat_mentions where company_id = new.company_id and message_id = new.id;
    elsif new.mentions <> old.mentions then
        delete from chat_mentions where company_id = new.company_id and message_id = new.id and way <> all (has);
        insert into chat_mentions (company_id, user_id, message_id, channel_id, root_id, place, thread_place, way)
        select new.company_id, mentioned.user_id, new.id, new.channel_id, new.root_id, new.place, new.thread_place, mentioned.way
          from app.mentioned(new.channel_id, array(select way from unnest(has) way where way <> all (had) or way like 'person:%')) mentioned
         where mentioned.user_id <> new.author_id
            on conflict do nothing;
        if new.root_id is not null then
            insert into chat_thread_followers as followers (company_id, root_id, channel_id, user_id, read_place)
            select new.company_id, new.root_id, new.channel_id, named.user_id,
                   (select min(thread_place) - 1
                      from chat_mentions
                     where company_id = new.company_id and user_id = named.user_id and root_id = new.root_id)
              from chat_mentions named
             where named.company_id = new.company_id and named.message_id = new.id and named.way like 'person:%'
               and (named.way <> all (had) or not exists (
                    select from chat_thread_followers own
                     where own.company_id = new.company_id and own.root_id = new.root_id and own.user_id = named.user_id))
             order by named.user_id
                on conflict (company_id, root_id, user_id) do update set is_following = true;
        end if;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.change_password(old_hash text, new_hash text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update users set password_hash = new_hash, password_changed_at = now() where id = app.user_id() and password_hash = old_hash;
    if not found then
        return false;
    end if;
    update password_resets set used_at = now() where user_id = app.user_id() and used_at is null;
    delete from login_challenges where user_id = app.user_id();
    return true;
end
$function$;

CREATE OR REPLACE FUNCTION app.change_role(person uuid, becomes text)
 RETURNS TABLE(outcome text, session_ids uuid[])
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    present text;
    member record;
begin
    perform app.hold_members(company);
    present := app.present_role();
    select role, status into member from memberships where company_id = company and user_id = person;
    outcome := case when not found or member.status = 'removed' then 'not_found'
                    when not app.leads(present, member.role) or not app.leads(present, becomes) then 'forbidden'
                    when member.role = 'student' or becomes = 'student' then 'student'
                    when member.role = becomes then 'unchanged'
                    when member.role = 'admin' and member.status = 'active' and not exists (
                        select from memberships
                         where company_id = company and user_id <> person and role = 'admin' and status = 'active') then 'last_admin'
                    else 'done'
               end;
    if outcome = 'done' then
        update memberships set role = becomes, version = version + 1 where company_id = company and user_id = person;
    end if;
    session_ids := array(select id from sessions where company_id = company and user_id = person and revoked_at is null and expires_at > now());
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.channel_of_unrouted(webhook public.unrouted_webhooks)
 RETURNS TABLE(id uuid, company_id uuid)
 LANGUAGE plpgsql
 STABLE
AS $function$
#variable_conflict use_column
declare
    its_number constant text := coalesce(webhook.number, case when webhook.account is null then webhook.external_key end);
begin
    if its_number is not null then
        return query
        select channel.id, channel.company_id
          from app.find_channel(webhook.source, its_number) channel
          join channel_accounts on channel_accounts.id = channel.id
         where (webhook.holder_id is null or webhook.holder_id = channel.company_id)
           and (webhook.account is null or channel_accounts.account_key is null or channel_accounts.account_key = webhook.account);
    else
        return query
        select channel.id, channel.company_id
          from app.find_account(webhook.source, webhook.account, webhook.shown) channel
         where webhook.holder_id is null or webhook.holder_id = channel.company_id;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.channel_people(wanted uuid[])
 RETURNS TABLE(channel_id uuid, user_id uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select channel_members.channel_id, channel_members.user_id
      from channel_members
      join memberships on memberships.company_id = channel_members.company_id and memberships.user_id = channel_members.user_id
     where channel_members.company_id = app.company_id() and channel_members.channel_id = any (wanted)
       and memberships.status = 'active' and memberships.role <> 'student';
end
$function$;

CREATE OR REPLACE FUNCTION app.choose_company(session uuid, company uuid, refresh_hash bytea, browser text, address text, request text)
 RETURNS TABLE(company_id uuid, company_name text, company_slug text, role text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    chosen_from record;
begin
    perform app.hold_family(family_id) from sessions where id = app.session_id();
    select family_id, expires_at, stepped_up_at into chosen_from
      from sessions
     where id = app.session_id() and revoked_at is null and expires_at > now();
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    return query
        select companies.id, companies.name, companies.slug, memberships.role
          from memberships
          join companies on companies.id = memberships.company_id
         where memberships.company_id = company and memberships.user_id = app.user_id() and memberships.status = 'active';
    if found then
        perform app.add_session(session, chosen_from.family_id, company, app.user_id(), chosen_from.expires_at, refresh_hash,
                                browser, address, request);
        update sessions set stepped_up_at = chosen_from.stepped_up_at where id = session;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.choose_primary(company uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from users where id = app.user_id() for no key update;
    perform from memberships where company_id = company and user_id = app.user_id() and status = 'active' for no key update;
    if not found then
        return false;
    end if;
    update memberships set is_primary = false where user_id = app.user_id() and is_primary and company_id <> company;
    update memberships set is_primary = true where user_id = app.user_id() and company_id = company and not is_primary;
    return true;
end
$function$;

CREATE OR REPLACE FUNCTION app.claim_ai(run uuid, run_purpose text, run_prompt text, of_conversation uuid, of_person uuid, wanted integer, of_work uuid DEFAULT NULL::uuid, since timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS TABLE(state text, base_url text, model text, sealed bytea, settings jsonb, asked_by uuid)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
    today date := (now() at time zone (select time_zone from companies where id = app.company_id()))::date;
    taken ai_days;
    of_month bigint;
    most_of_day bigint;
    most_of_month bigint;
    most_cost double precision;
    claimed bigint;
    refusal text;
begin
    select company_setup.ai_base_url, company_setup.ai_model into base_url, model from company_setup where company_id = app.company_id();
    select company_secrets.sealed into sealed from company_secrets where company_id = app.company_id() and name = 'ai';
    select coalesce(jsonb_object_agg(key, value), '{}') into settings
      from bot_config where company_id = app.company_id() and is_active and key like 'ai\_%';
    if base_url is null or model is null or sealed is null then
        state := 'not_configured';
        return next;
        return;
    end if;
    if settings -> 'ai_enabled' = 'false' then
        state := 'off';
        return next;
        return;
    end if;
    insert into ai_days (day) values (today) on conflict do nothing;
    select * into taken from ai_days where company_id = app.company_id() and day = today for update;
    -- Whoever was asked and has not answered for half a minute is gone. What they were told is kept a moment later, and looked for there: that of a
    -- recording for good; anything else, asked for anew by who comes after it was kept, unless nobody could use it.
    if of_work is not null then
        select ai_runs.id into asked_by
          from ai_runs
         where company_id = app.company_id() and work = of_work and purpose = run_purpose
           and case when settled_at is null then created_at > clock_timestamp() - interval '30 seconds'
                    when status <> 'done' then false
                    when run_purpose = 'transcribe' then settled_at > clock_timestamp() - interval '30 seconds'
                    else coalesce((select insight.created_at > since
                                     from conversation_insights insight
                                    where insight.company_id = ai_runs.company_id and insight.run_id = ai_runs.id),
                                  settled_at > clock_timestamp() - interval '2 seconds') end
         order by created_at desc
         limit 1;
        if asked_by is not null then
            state := 'asked';
            return next;
            return;
        end if;
    end if;
    -- As `shared::ai::Settings` has them built in; null is no limit.
    most_of_day := case when settings ? 'ai_daily_tokens' then (settings ->> 'ai_daily_tokens')::bigint else 500000 end;
    most_of_month := case when settings ? 'ai_monthly_tokens' then (settings ->> 'ai_monthly_tokens')::bigint else 10000000 end;
    most_cost := (settings ->> 'ai_daily_cost')::double precision;
    -- Prices are of a million tokens, costs in millionths.
    claimed := ceil(wanted * greatest((settings ->> 'ai_input_price')::double precision, (settings ->> 'ai_output_price')::double precision, 0));
    if most_of_month is not null then
        select coalesce(sum(tokens), 0) into of_month
          from ai_days where company_id = app.company_id() and day between date_trunc('month', today) and today;
    end if;
    refusal := case
        when taken.tokens + wanted > most_of_day then 'daily_tokens_gone'
        when of_month + wanted > most_of_month then 'monthly_tokens_gone'
        when taken.cost >= most_cost * 1000000 or taken.cost + claimed > most_cost * 1000000 then 'daily_cost_gone'
    end;
    insert into ai_runs (id, purpose, prompt, model, status, reason, conversation_id, user_id, day, claimed_tokens, claimed_cost, work, settled_at)
    values (run, run_purpose, run_prompt, model, case when refusal is null then 'running' else 'refused' end, refusal, of_conversation,
            of_person, today, wanted, claimed, of_work, case when refusal is not null then now() end);
    update ai_days
       set tokens = tokens + case when refusal is null then wanted else 0 end,
           cost = cost + case when refusal is null then claimed else 0 end,
           runs = runs + case when refusal is null then 1 else 0 end,
           refused = refused + case when refusal is null then 0 else 1 end
     where company_id = app.company_id() and day = today;
    state := coalesce(refusal, 'run');
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.claim_job(wanted uuid, lease interval)
 RETURNS TABLE(state text, wait_seconds integer, id uuid, company_id uuid, kind text, lane text, payload jsonb, attempts integer, retries integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    asked record;
    head jobs;
begin
    select jobs.company_id, jobs.queue, jobs.lane, jobs.finished_at into asked from jobs where jobs.id = wanted;
    if not found or asked.finished_at is not null then
        return query select 'finished', 0, wanted, asked.company_id, null::text, null::text, null::jsonb, 0, 0;
        return;
    end if;
    select * into head from jobs
     where jobs.company_id = asked.company_id and jobs.queue = asked.queue and jobs.lane = asked.lane and jobs.finished_at is null
     order by number limit 1 for update;
    if head.id is null then
        -- The head was finished while we waited for it: look again.
        return query select 'wait', 1, wanted, asked.company_id, null::text, null::text, null::jsonb, 0, 0;
        return;
    end if;
    if head.leased_until > now() then
        return query select 'busy', greatest(1, ceil(extract(epoch from head.leased_until - now())))::integer,
                            head.id, head.company_id, head.kind, head.lane, null::jsonb, head.attempts, head.retries;
        return;
    end if;
    if head.run_at > now() then
        return query select 'wait', greatest(1, ceil(extract(epoch from head.run_at - now())))::integer,
                            head.id, head.company_id, head.kind, head.lane, null::jsonb, head.attempts, head.retries;
        return;
    end if;
    update jobs set leased_until = now() + lease, attempts = jobs.attempts + 1, key = null where jobs.id = head.id;
    return query select 'run', 0, head.id, head.company_id, head.kind, head.lane, head.payload, head.attempts + 1, head.retries;
end
$function$;

CREATE OR REPLACE FUNCTION app.client_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ select nullif(current_setting('app.client_id', true), '')::uuid $function$;

CREATE OR REPLACE FUNCTION app.companies_of_user()
 RETURNS TABLE(id uuid, name text, slug text, role text, is_primary boolean)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select companies.id, companies.name, companies.slug, memberships.role,
           row_number() over (order by memberships.is_primary desc, memberships.created_at, companies.id) = 1
      from memberships
      join companies on companies.id = memberships.company_id
     where memberships.user_id = app.user_id() and memberships.status = 'active'
     order by companies.name, companies.id;
end
$function$;

CREATE OR REPLACE FUNCTION app.companies_to_score(most integer)
 RETURNS TABLE(company_id uuid, pages bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query
        select companies.id, (due.count + 199) / 200
          from companies
         cross join lateral (
               select count(*), min(scored_at) as oldest
                 from (select scored_at from leads
                        where leads.company_id = companies.id and status = 'open' and deleted_at is null
                          and scored_at < now() - interval '1 day'
                        order by scored_at
                        limit 2000) few) due
         where due.count > 0
         order by due.oldest, companies.id
         limit most;
end
$function$;

CREATE OR REPLACE FUNCTION app.company_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ select nullif(current_setting('app.company_id', true), '')::uuid $function$;

CREATE OR REPLACE FUNCTION app.company_of_connection(connection text)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return (select company_id from presence_leases where connection_id = connection);
end
$function$;

CREATE OR REPLACE FUNCTION app.company_of_lead(lead uuid)
 RETURNS TABLE(company_id uuid, company_name text, is_unsubscribed boolean)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select leads.company_id, companies.name, app.has_opted_out(leads)
      from leads join companies on companies.id = leads.company_id
     where leads.id = lead;
end
$function$;

CREATE OR REPLACE FUNCTION app.count_all_lead_work(since timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return case when app.sees_all() then (select count(*) from lead_interactions where company_id = app.company_id() and at >= since) end;
end
$function$;

CREATE OR REPLACE FUNCTION app.count_knowledge_use()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update knowledge_articles
       set helped = knowledge_articles.helped + coalesce(new.helped, false)::integer
                    - case when tg_op = 'UPDATE' then coalesce(old.helped, false)::integer else 0 end,
           not_helped = not_helped + coalesce(not new.helped, false)::integer
                    - case when tg_op = 'UPDATE' then coalesce(not old.helped, false)::integer else 0 end,
           last_used_at = now()
     where company_id = new.company_id and id = new.article_id;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.count_quick_reply()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update quick_replies
       set usage_count = usage_count + 1, last_used_at = now()
     where company_id = new.company_id and id = new.quick_reply_id;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.count_revision()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.revision := old.revision + 1;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.create_company(company uuid, company_name text, company_slug text, other_slug text, zone text, language text, browser text, caller text, request text)
 RETURNS SETOF public.companies
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    founder uuid := app.user_id();
    origin uuid := app.company_id();
begin
    -- One at a time.
    perform pg_advisory_xact_lock(hashtextextended('companies:' || founder, 0));
    if (select count(*) from companies where founded_by = founder) >= 20 then
        return;
    end if;
    insert into companies (id, name, slug, time_zone, locale, founded_by) values (company, company_name, company_slug, zone, language, founder)
    on conflict on constraint companies_slug_key do nothing;
    if not found then
        insert into companies (id, name, slug, time_zone, locale, founded_by) values (company, company_name, other_slug, zone, language, founder);
    end if;
    insert into memberships (company_id, user_id, role) values (company, founder, 'admin');
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (company, founder, 'create_company', company::text, caller, browser, request);
    return query select * from companies where companies.id = company;
end
$function$;

CREATE OR REPLACE FUNCTION app.create_user(person uuid, address text, person_name text, hash text, new_role text, in_departments uuid[])
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    present text;
begin
    perform app.hold_members(company);
    present := app.present_role();
    if not app.leads(present, new_role) then
        return 'forbidden';
    end if;
    insert into users (id, email, name, password_hash, locale, time_zone)
    select person, lower(address), person_name, hash, companies.locale, companies.time_zone from companies where id = company
    on conflict on constraint users_email_key do nothing;
    if not found then
        return case when exists (
                        select from memberships join users on users.id = memberships.user_id
                         where memberships.company_id = company and users.email = lower(address) and status <> 'removed') then 'member'
                    else 'known' end;
    end if;
    perform app.add_member(company, person, new_role, in_departments);
    update invites set revoked_at = now() where company_id = company and email = lower(address) and used_at is null and revoked_at is null;
    return 'done';
end
$function$;

CREATE OR REPLACE FUNCTION app.department_ids()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE
AS $function$ select coalesce(nullif(current_setting('app.department_ids', true), '')::uuid[], '{}') $function$;

CREATE OR REPLACE FUNCTION app.drop_days(whole text, key text, kept integer)
 RETURNS xid8
 LANGUAGE plpgsql
AS $function$
declare
    first_kept date := (now() at time zone 'utc')::date - kept;
    latest_of constant text := case when whole = 'events' then 'select max(tx::text::numeric)::text::xid8 from ' else 'select null::xid8 from ' end;
    day text;
    latest xid8;
    gone xid8;
begin
    for day in
        select relname::text
          from pg_inherits
          join pg_class on pg_class.oid = inhrelid
         where inhparent = format('public.%I', whole)::regclass
           and relname ~ '_[0-9]{8}$' and right(relname, 8) < to_char(first_kept, 'YYYYMMDD')
         order by 1
    loop
        execute latest_of || format('days.%I', day) into latest;
        gone := greatest(gone, latest);
        execute format('drop table days.%I', day);
    end loop;
    execute format('with old as (delete from days.%I where %I < now() - make_interval(days => $1) returning *) ', whole || '_other', key)
            || latest_of || 'old'
       into latest
      using kept;
    return greatest(gone, latest);
end
$function$;

CREATE OR REPLACE FUNCTION app.edit_unsent_message(message uuid, words text)
 RETURNS SETOF public.messages
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query
    update messages
       set (revisions, body, edited_at) = (
               select edited.revisions, edited.body, clock_timestamp()
                 from app.add_edit(messages.revisions, messages.body, gen_random_uuid()::text, words, clock_timestamp()) edited)
     where company_id = app.company_id() and id = message
       and (sender_id = app.user_id() or app.sees_all())
       and sender_type = 'agent' and kind in ('text', 'image', 'video', 'document') and deleted_at is null and body <> words
       and provider_id is null
       and (status = 'queued' or status = 'failed' and error_code is distinct from 'outcome_unknown')
    returning messages.*;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_family(session uuid)
 RETURNS TABLE(session_id uuid, company_id uuid)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    family uuid;
begin
    select family_id into family from sessions
     where id = session and (app.company_id() is null or user_id = app.user_id());
    if not found then
        return;
    end if;
    perform app.hold_family(family);
    update sessions set revoked_at = now() where family_id = family and revoked_at is null;
    return query select id, company_id from sessions where family_id = family;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_followups()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    why text;
begin
    if new.merged_into_id is not null and old.merged_into_id is null then
        perform from leads where company_id = new.company_id and id = new.merged_into_id for no key update;
        -- Of a sequence that both were in, the one who stays is as far as who was farther, and over where either is.
        update followup_executions kept
           set current_step = greatest(kept.current_step, gone.current_step),
               attempt = case when gone.current_step > kept.current_step then 1 else kept.attempt end,
               next_run_at = case when gone.finished_at is null then greatest(kept.next_run_at, gone.next_run_at) end,
               status = case when gone.finished_at is null then kept.status else 'cancelled' end,
               reason = case when gone.finished_at is null then kept.reason else 'merged' end,
               finished_at = case when gone.finished_at is not null then now() end
          from followup_executions gone
         where gone.company_id = new.company_id and gone.lead_id = new.id
           and kept.company_id = new.company_id and kept.lead_id = new.merged_into_id and kept.sequence_id = gone.sequence_id
           and kept.finished_at is null
           and not exists (select from followup_executions later
                            where later.company_id = gone.company_id and later.lead_id = gone.lead_id and later.sequence_id = gone.sequence_id
                              and later.rotation > gone.rotation);
        update followup_executions moved
           set lead_id = new.merged_into_id
         where moved.company_id = new.company_id and moved.lead_id = new.id
           and not exists (select from followup_executions kept
                            where kept.company_id = moved.company_id and kept.lead_id = new.merged_into_id
                              and kept.sequence_id = moved.sequence_id);
        why := 'merged';
    elsif new.deleted_at is not null and old.deleted_at is null then
        why := 'lead_deleted';
    elsif new.status <> 'open' and old.status = 'open' then
        why := 'lead_' || new.status;
    else
        return null;
    end if;
    update followup_executions
       set status = 'cancelled', reason = why, finished_at = now(), next_run_at = null
     where company_id = new.company_id and lead_id = new.id and finished_at is null;
    perform app.silence_followups(new.company_id, array[new.id], why);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_idle_sessions(most integer)
 RETURNS TABLE(session_id uuid, company_id uuid, user_id uuid)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    with idle as (
        select distinct sessions.id
          from companies
          join presence_leases on presence_leases.company_id = companies.id
          join sessions on sessions.id = presence_leases.session_id
         where companies.idle_minutes is not null
           and sessions.revoked_at is null
           and sessions.last_seen_at <= now() - make_interval(mins => companies.idle_minutes)
         limit most
    )
    update sessions set revoked_at = now()
      from idle
     where sessions.id = idle.id
    returning sessions.id, sessions.company_id, sessions.user_id;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_logins(person uuid, only_family uuid, kept uuid)
 RETURNS TABLE(session_id uuid, company_id uuid)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
    perform app.hold_family(family)
       from (select distinct family_id as family from sessions
              where user_id = person and revoked_at is null and expires_at > now()
                and (only_family is null or family_id = only_family)
                and family_id is distinct from kept
              order by family_id) open;
    return query
    update sessions set revoked_at = now()
     where user_id = person and revoked_at is null and expires_at > now()
       and (only_family is null or family_id = only_family)
       and family_id is distinct from kept
    returning id, company_id;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_membership(person uuid, becomes text)
 RETURNS TABLE(outcome text, session_ids uuid[], was_online boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    present text;
    member record;
begin
    session_ids := '{}';
    was_online := false;
    perform app.hold_members(company);
    present := app.present_role();
    select role, status into member from memberships where company_id = company and user_id = person;
    outcome := case when not found or member.status = 'removed' then 'not_found'
                    when not app.leads(present, member.role) then 'forbidden'
                    when member.status = becomes then 'unchanged'
                    when member.role = 'admin' and member.status = 'active' and not exists (
                        select from memberships
                         where company_id = company and user_id <> person and role = 'admin' and status = 'active') then 'last_admin'
                    else 'done'
               end;
    if outcome = 'done' then
        perform app.hold_logins(company, person);
        was_online := exists (select from presence_leases where company_id = company and user_id = person and lease_until > now());
        update memberships set status = becomes, is_primary = false, version = version + 1 where company_id = company and user_id = person;
        session_ids := app.end_sessions_in(company, person);
        if becomes = 'removed' then
            delete from department_members where company_id = company and user_id = person;
        end if;
        update invites set revoked_at = now()
         where company_id = company and email = (select users.email from users where users.id = person)
           and used_at is null and revoked_at is null;
    end if;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_object_removals(storage_keys text[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    delete from object_removals where storage_key = any (storage_keys) and begun_at is not null
$function$;

CREATE OR REPLACE FUNCTION app.end_orphan_uploads(most integer)
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    with gone as (
        delete from files
         where id in (select id from files
                       where status = 'pending' and uploaded_by is not null and created_at < now() - interval '1 day'
                       limit most for update skip locked)
        returning storage_key, company_id
    ), due as (
        insert into object_removals (storage_key, company_id, due_at)
        select storage_key, company_id, now() from gone
        on conflict do nothing
    )
    select count(*) from gone
$function$;

CREATE OR REPLACE FUNCTION app.end_own_logins(only_family uuid)
 RETURNS TABLE(session_id uuid, company_id uuid)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select ended.session_id, ended.company_id
      from app.end_logins(app.user_id(), only_family,
                          case when only_family is null then
                              (select family_id from sessions where id = app.session_id()) end) ended;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_previous_key()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    update channel_accounts
       set previous_key_until = now() + interval '1 hour'
     where id = new.channel_account_id and previous_key is not null and previous_key_until is null;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_rating()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.rating_message_id := null;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_second_factor()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from sessions where id = app.session_id() and stepped_up_at = now();
    if not found then
        raise insufficient_privilege using message = 'a second factor is ended with a code';
    end if;
    delete from second_factors where user_id = app.user_id();
end
$function$;

CREATE OR REPLACE FUNCTION app.end_sessions_in(company uuid, person uuid)
 RETURNS uuid[]
 LANGUAGE plpgsql
AS $function$
declare
    ended uuid[];
begin
    with sessions_ended as (
        update public.sessions set revoked_at = now()
         where company_id = company and user_id = person and revoked_at is null
        returning id
    )
    select coalesce(array_agg(id), '{}') into ended from sessions_ended;
    delete from public.presence_leases where company_id = company and user_id = person;
    return ended;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_waiting()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if new.inbound_count > old.inbound_count or new.ended_at is distinct from old.ended_at or new.mode <> old.mode
       or new.assignee_id is distinct from old.assignee_id then
        new.snoozed_at := null;
        new.snoozed_until := null;
    end if;
    if new.return_to_bot_at is not distinct from old.return_to_bot_at
       and (new.ended_at is distinct from old.ended_at or new.mode = 'bot' or new.assignee_id is distinct from old.assignee_id) then
        new.return_to_bot_at := null;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.end_web_push()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    delete from web_push_subscriptions where session_id = new.id;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.enter(company uuid, person uuid, claimed_role text, session uuid, standing text DEFAULT 'standard'::text)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
    access record;
    departments uuid[];
    audiences text[];
begin
    select * into access from app.session_access(company, person, claimed_role, session);
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    if access.must_have_factor and standing <> 'setting_up' and not app.has_second_factor(person) then
        raise exception 'two_factor_required' using errcode = '28000';
    end if;
    if standing = 'stepped_up' and (access.stepped_up_at > now() - interval '10 minutes') is not true and app.has_second_factor(person) then
        raise exception 'step_up_required' using errcode = '28000';
    end if;
    departments := coalesce(access.departments, '{}');
    if claimed_role = 'student' then
        audiences := array['self:' || person, 'user:' || person, 'client:' || coalesce(access.client::text, 'none')];
    elsif access.visibility = 'own' then
        audiences := array['self:' || person, 'user:' || person, 'waiting:none'] || array(select 'waiting:' || d from unnest(departments) d);
    else
        audiences := array['self:' || person, 'user:' || person, 'department:none'] || array(select 'department:' || d from unnest(departments) d);
    end if;
    if claimed_role = 'admin' then
        audiences := audiences || 'self:admins'::text;
    end if;
    perform set_config('app.company_id', company::text, true),
            set_config('app.user_id', person::text, true),
            set_config('app.session_id', session::text, true),
            set_config('app.client_id', coalesce(access.client::text, ''), true),
            set_config('app.sees_all', access.sees_all::text, true),
            set_config('app.visibility', access.visibility, true),
            set_config('app.department_ids', departments::text, true),
            set_config('app.audiences', audiences::text, true),
            set_config('role', case when claimed_role = 'student' then 'app_student' else 'app_staff' end, true);
    return app.feed_head();
end
$function$;

CREATE OR REPLACE FUNCTION app.enter_account(channel_kind text, account text, number text)
 RETURNS TABLE(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
    channel record;
begin
    select * into channel from app.find_account(channel_kind, account, number);
    if found then
        return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                            app.enter_system(channel.company_id);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.enter_channel(channel_kind text, key text)
 RETURNS TABLE(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
    channel record;
begin
    select * into channel from app.find_channel(channel_kind, key);
    if found then
        return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                            app.enter_system(channel.company_id);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.enter_kept_webhook(webhook uuid, received timestamp with time zone, channel_kind text, number text, account text, shown text, persons integer[], kinds text[], identities text[], message_ids text[], changed_ids text[], own_ids uuid[])
 RETURNS TABLE(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text, is_applied boolean, is_behind boolean)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
#variable_conflict use_column
declare
    channel record;
    kept record;
begin
    select * into channel
      from app.enter_webhook(channel_kind, number, account, shown, persons, kinds, identities, message_ids, changed_ids, own_ids);
    if channel.id is null then
        return;
    end if;
    select outcome, clients
      into kept
      from inbound_webhooks
     where inbound_webhooks.id = webhook and received_at = received
       for no key update;
    return query
    select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window, channel.feed_cursor,
           kept.outcome is not null,
           exists (select
                     from inbound_webhooks earlier
                    where earlier.channel_account_id = channel.id and earlier.outcome is null and earlier.left_at is not null
                      and (earlier.received_at, earlier.id) < (received, webhook)
                      and earlier.clients && kept.clients);
end
$function$;

CREATE OR REPLACE FUNCTION app.enter_stage()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    stage_position integer;
begin
    select kind, position into new.status, stage_position from stages where company_id = new.company_id and id = new.stage_id;
    if new.status <> 'lost' and not exists (
        select from stages
         where company_id = new.company_id and id = new.furthest_stage_id and pipeline_id = new.pipeline_id and position >= stage_position) then
        new.furthest_stage_id := new.stage_id;
    end if;
    if tg_op = 'UPDATE' then
        new.entered_at := now();
    end if;
    if new.status = 'open' then
        new.closed_at := null;
        new.close_reason := null;
        new.value := null;
    elsif tg_op = 'INSERT' then
        new.closed_at := coalesce(new.closed_at, now());
    elsif old.status <> new.status then
        new.closed_at := now();
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.enter_system(company uuid)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
begin
    perform set_config('app.company_id', company::text, true),
            set_config('app.user_id', '', true),
            set_config('app.session_id', '', true),
            set_config('app.client_id', '', true),
            set_config('app.sees_all', 'true', true),
            set_config('app.visibility', 'company', true),
            set_config('app.department_ids', '{}', true),
            set_config('app.audiences', '{}', true),
            set_config('role', 'app_system', true);
    return app.feed_head();
end
$function$;

CREATE OR REPLACE FUNCTION app.enter_webhook(channel_kind text, number text, account text, shown text, persons integer[], kinds text[], identities text[], message_ids text[], changed_ids text[], own_ids uuid[])
 RETURNS TABLE(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
#variable_conflict use_column
declare
    channel record;
    client_ids uuid[];
    conversation_ids uuid[];
begin
    if number is not null then
        select * into channel from app.enter_channel(channel_kind, number);
    else
        select * into channel from app.enter_account(channel_kind, account, shown);
    end if;
    if channel.id is null then
        return;
    end if;
    perform app.lock_keys(array(select named.kind || ':' || named.value from unnest(kinds, identities) named (kind, value))
                          || array(select 'message:' || message_id from unnest(message_ids || changed_ids) message_id));
    client_ids := array(
        select client_identities.client_id
          from unnest(kinds, identities) named (kind, value)
          join client_identities using (kind, value));
    perform from clients where id = any (client_ids) order by id for no key update;
    -- Those who were waited for may have been joined.
    client_ids := array(
        select distinct client_identities.client_id
          from unnest(kinds, identities) named (kind, value)
          join client_identities using (kind, value));
    conversation_ids := array(
        select latest.id
          from unnest(client_ids) client (client_id)
         cross join lateral (
            select conversations.id
              from conversations
             where conversations.channel_account_id = channel.id and conversations.client_id = client.client_id
               and conversations.merged_into_id is null and conversations.imported_at is null
             order by conversations.ended_at desc nulls first
             limit 1) latest);
    if cardinality(client_ids) > 1 then
        conversation_ids := conversation_ids || array(
            with known as (
                select named.person, client_identities.client_id
                  from unnest(persons, kinds, identities) named (person, kind, value)
                  join client_identities using (kind, value)
            )
            select conversations.id
              from conversations
             where conversations.client_id in (
                select known.client_id
                  from known
                 where known.person in (
                    select known.person from known group by known.person having count(distinct known.client_id) > 1)));
    end if;
    if cardinality(changed_ids) > 0 then
        conversation_ids := conversation_ids || array(
            select conversation_id from messages where channel_account_id = channel.id and provider_id = any (changed_ids)
             union all
            select conversation_id from messages where id = any (own_ids));
    end if;
    perform from conversations where id = any (conversation_ids) order by id for update;
    return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                        channel.feed_cursor;
end
$function$;

CREATE OR REPLACE FUNCTION app.feed_head()
 RETURNS text
 LANGUAGE plpgsql
AS $function$
begin
    return (select value || '.' || pg_snapshot_xmin(pg_current_snapshot())::text || '.0' from feed_epochs order by started_at desc limit 1);
end
$function$;

CREATE OR REPLACE FUNCTION app.files_of_flow(definition jsonb)
 RETURNS uuid[]
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select coalesce(array_agg(distinct (media ->> 'file_id')::uuid), '{}')
      from jsonb_path_query(definition, '$.nodes.*.media') media
     where media ->> 'file_id' ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
$function$;

CREATE OR REPLACE FUNCTION app.fill_words(template text, facts jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
declare
    filled text := '';
    rest text := template;
    opens integer;
    closes integer;
    place text;
    known text;
begin
    loop
        opens := strpos(rest, '{');
        exit when opens = 0;
        closes := strpos(rest, '}');
        exit when closes < opens;
        place := substr(rest, opens + 1, closes - opens - 1);
        known := nullif(facts ->> split_part(place, '|', 1), '');
        filled := filled || left(rest, opens - 1) || coalesce(known, split_part(place, '|', 2));
        rest := substr(rest, closes + 1);
    end loop;
    return filled || coalesce(rest, '');
end
$function$;

CREATE OR REPLACE FUNCTION app.find_account(channel_kind text, account text, number text)
 RETURNS TABLE(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    with known as (
        select * from channel_accounts where kind = channel_kind and account_key = account and status <> 'disabled'
    ), chosen as (
        select * from known where display_number = number
        union all
        select * from known where not exists (select from known named where named.display_number = number)
    )
    select chosen.id, chosen.company_id, chosen.department_id,
           case when companies.bot_enabled then chosen.bot_flow_id end, companies.reopen_window
      from chosen
      join companies on companies.id = chosen.company_id
     where not exists (select from chosen other where other.company_id <> chosen.company_id)
     order by chosen.created_at, chosen.id
     limit 1;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_challenge(hash bytea)
 RETURNS TABLE(user_id uuid, name text, email text, company_id uuid, company_name text, company_slug text, role text, avatar_url text, secret bytea)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select users.id, users.name, users.email, companies.id, companies.name, companies.slug, memberships.role,
           '/storage/download/' || memberships.avatar_file_id, second_factors.secret
      from login_challenges
      join users on users.id = login_challenges.user_id
      join companies on companies.id = login_challenges.company_id
      join memberships on memberships.company_id = login_challenges.company_id and memberships.user_id = login_challenges.user_id
      join second_factors on second_factors.user_id = login_challenges.user_id
     where login_challenges.token_hash = hash
       and login_challenges.expires_at > now()
       and memberships.status = 'active'
       and second_factors.enabled_at is not null;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_channel(channel_kind text, key text)
 RETURNS TABLE(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select channel_accounts.id, channel_accounts.company_id, channel_accounts.department_id,
           case when companies.bot_enabled then channel_accounts.bot_flow_id end, companies.reopen_window
      from channel_accounts
      join companies on companies.id = channel_accounts.company_id
     where channel_accounts.kind = channel_kind and channel_accounts.external_key = key and channel_accounts.status <> 'disabled';
    if not found then
        return query
        select channel_accounts.id, channel_accounts.company_id, channel_accounts.department_id,
               case when companies.bot_enabled then channel_accounts.bot_flow_id end, companies.reopen_window
          from channel_accounts
          join companies on companies.id = channel_accounts.company_id
         where channel_accounts.kind = channel_kind and channel_accounts.previous_key = key and channel_accounts.status <> 'disabled'
           and (channel_accounts.previous_key_until is null or channel_accounts.previous_key_until > now());
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_chat_messages(query text, in_channel uuid, by_author uuid, with_files boolean, since timestamp with time zone, until timestamp with time zone, at timestamp with time zone, at_id uuid, oldest_first boolean, wanted bigint)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET enable_seqscan TO 'off'
AS $function$
declare
    sampled constant integer := 300;
    walked constant integer := 3000;
    company uuid := app.company_id();
    words text[] := app.stems(company, app.spaced(query));
    mine uuid[] := array(select app.my_channels());
    said text := 'company_id = $1 and body <> '''' and deleted_at is null and channel_id = any ($2)'
        || case when in_channel is not null then ' and channel_id = $4' else '' end
        || case when by_author is not null then ' and author_id = $5' else '' end
        || case when with_files then ' and file_ids <> ''{}''' else '' end
        || case when since is not null then ' and created_at >= $6' else '' end
        || case when until is not null then ' and created_at < $7' else '' end
        || case when at is not null then format(' and (created_at, id) %s ($8, $9)', case when oldest_first then '>' else '<' end) else '' end;
    has_words text := case when words = '{}' then '' else ' and app.stems(company_id, app.searchable(body)) @> $3' end;
    ordered text := format(' order by created_at %1$s, id %1$s', case when oldest_first then 'asc' else 'desc' end);
    newest text := '(select * from chat_messages where company_id = $1 and deleted_at is null'
        || case when until is not null then ' and created_at < $7' else '' end
        || case when at is null then '' else format(' and (created_at, id) %s ($8, $9)', case when oldest_first then '>=' else '<=' end) end
        || ordered || ' limit %s) chat_messages';
    matches integer;
    found uuid[];
begin
    if words = '{}' and query <> '' then
        return '{}';
    end if;
    execute 'select count(*) from ' || format(newest, sampled) || ' where ' || said || has_words
       into matches using company, mine, words, in_channel, by_author, since, until, at, at_id;
    if matches * walked >= wanted * sampled then
        execute 'select array(select id from ' || format(newest, walked) || ' where ' || said || has_words || ordered || ' limit ' || wanted || ')'
           into found using company, mine, words, in_channel, by_author, since, until, at, at_id;
        if cardinality(found) >= wanted then
            return found;
        end if;
    end if;
    if words = '{}' then
        execute 'select array(select id from chat_messages where ' || said || ordered || ' limit ' || wanted || ')'
           into found using company, mine, words, in_channel, by_author, since, until, at, at_id;
    else
        -- The index is asked by itself: the planner would rather walk through all of a company's messages in order, comparing.
        execute 'with chat_messages as materialized (
                     select * from chat_messages where company_id = $1 and body <> '''' and deleted_at is null' || has_words || ')
                 select array(select id from chat_messages where ' || said || ordered || ' limit ' || wanted || ')'
           into found using company, mine, words, in_channel, by_author, since, until, at, at_id;
    end if;
    return found;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_clients(query text, phones text[], tag text, is_archived boolean, is_oldest_first boolean, at timestamp with time zone, after uuid, wanted bigint, is_blocked boolean)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET work_mem TO '64MB'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
AS $function$
declare
    step constant integer := 500;
    -- Of so many of a step the page is filled sooner than the indexes answer.
    enough constant integer := 5;
    most constant integer := 10000;
    company uuid := app.company_id();
    spaced text := app.spaced(query);
    address text := lower(btrim(query));
    inside text := '%' || replace(replace(replace(address, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    names text[] := case when spaced ~ '[[:alnum:]]{3}'
                         then array(select distinct '%' || written || '%' from unnest(array[spaced, app.joined(query)]) written)
                         when spaced <> '' then array[spaced || '%', '% ' || spaced || '%']
                         else '{}' end;
    emails text[] := case when address ~ '[[:alnum:]]{3}' then array[inside] else '{}' end;
    numbers text[] := array(select '%' || phone || '%' from unnest(phones) phone);
    bare text := upper(regexp_replace(query, '[./ -]', '', 'g'));
    documents text := case when bare ~ '^[0-9A-Z]{6,14}$' and bare ~ '[0-9]' then bare || '%' end;
    direction text := case when is_oldest_first then 'asc' else 'desc' end;
    ordered text := format(' order by clients.created_at %1$s, clients.id %1$s limit ', direction);
    rows text := 'clients where clients.company_id = $1 and clients.merged_into_id is null'
        || case when is_archived then ' and clients.archived_at is not null' else ' and clients.archived_at is null' end
        || case when is_blocked then ' and clients.blocked_at is not null'
                when not is_blocked then ' and clients.blocked_at is null'
                else '' end
        || case when tag is not null then ' and clients.tags <> ''{}'' and clients.tags @> array[$2]' else '' end
        || case when is_oldest_first then ' and (clients.created_at, clients.id) > ($3, $4)'
                else ' and (clients.created_at, clients.id) < ($3, $4)' end;
    is_named constant text := 'app.searchable(clients.name) like any ($6)';
    has_name text := is_named;
    is_known constant text := '(identity.value like any ($7) or identity.kind = ''email'' and identity.value like any ($8))';
    has_document constant text := '(clients.document like $9 and clients.merged_into_id is null)';
    has_address constant text := 'clients.email is not null and lower(clients.email) = $10';
    found uuid[] := '{}';
    more uuid[];
    walked integer := 0;
    passed integer;
    tagged integer;
begin
    at := coalesce(at, case when is_oldest_first then '-infinity'::timestamptz else 'infinity' end);
    after := coalesce(after, '00000000-0000-0000-0000-000000000000');
    if query is null then
        execute 'select array(select clients.id from ' || rows || ordered || '$5)' into found using company, tag, at, after, wanted;
        return found;
    end if;
    if cardinality(names) = 0 and cardinality(numbers) = 0 and cardinality(emails) = 0 then
        return '{}';
    end if;
    loop
        execute 'with clients as materialized (select * from ' || rows || ordered || '$5),
                      page as materialized (
                     select clients.id, clients.created_at
                       from clients
                      where ' || is_named || ' or ' || has_document || ' or ' || has_address || '
                         or exists (select from client_identities identity
                                     where identity.company_id = $1 and identity.client_id = clients.id and ' || is_known || '))
                 select array(select clients.id from page clients' || ordered || 'all), last.passed, last.created_at, last.id
                   from (select count(*) over () as passed, clients.created_at, clients.id
                           from clients order by clients.created_at ' || case when is_oldest_first then 'desc' else 'asc' end
                     || ', clients.id ' || case when is_oldest_first then 'desc' else 'asc' end || ' limit 1) last'
           into more, passed, at, after
          using company, tag, at, after, step, names, numbers, emails, documents, address;
        if passed is null then
            return found;
        end if;
        found := found || more;
        walked := walked + passed;
        if passed < step or cardinality(found) >= wanted then
            return found[:wanted];
        end if;
        exit when cardinality(found) * step < enough * walked or walked >= most;
    end loop;
    if tag is not null then
        execute 'select count(*) from (select from clients
                                        where clients.company_id = $1 and clients.tags <> ''{}'' and clients.tags @> array[$2]
                                        limit 2001) tagged'
           into tagged using company, tag;
        -- By the index of the tags where these are few, which the planner cannot know here; then not by that of the names.
        has_name := case when tagged <= 2000 then 'app.searchable(clients.name) || '''' like any ($6)' else is_named end
            || ' and clients.tags <> ''{}'' and clients.tags @> array[$2]';
    end if;
    execute 'with known as materialized (
                 select clients.id from clients where clients.company_id = $1 and ' || has_name || '
                 union
                 select client_id from client_identities identity where identity.company_id = $1 and identity.value like any ($7)
                 union
                 select client_id from client_identities identity
                  where identity.company_id = $1 and identity.kind = ''email'' and identity.value like any ($8)
                 union
                 select clients.id from clients where clients.company_id = $1 and ' || has_document || '
                 union
                 select clients.id from clients where clients.company_id = $1 and ' || has_address || ')
             select array(select clients.id from known join ' || replace(rows, 'clients where', 'clients using (id) where') || ordered || '$5)'
       into more
      using company, tag, at, after, wanted - cardinality(found), names, numbers, emails, documents, address;
    return found || more;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_conversations(query text, phones text[], newest uuid[], walked bigint, wanted bigint)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET work_mem TO '64MB'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
    step constant integer := 50;
    company uuid := app.company_id();
    spaced text := app.spaced(query);
    address text := replace(replace(replace(lower(btrim(query)), '\', '\\'), '%', '\%'), '_', '\_');
    -- Within a name when that is long enough for its index, else at the beginning of one of its words.
    names text[] := case when spaced ~ '[[:alnum:]]{3}' then array['%' || spaced || '%', '%' || app.joined(query) || '%']
                         when spaced <> '' then array[spaced || '%', '% ' || spaced || '%']
                         else '{}' end;
    emails text[] := case when address ~ '[[:alnum:]]{3}' then array['%' || address || '%'] else '{}' end;
    numbers text[] := array(select '%' || phone || '%' from unnest(phones) phone);
    stems text[] := nullif(app.stems(company, spaced), '{}');
    is_all boolean := cardinality(newest) < walked;
    place integer := 1;
    sample uuid[];
    matches integer;
    found uuid[] := '{}';
    found_clients uuid[];
begin
    if not is_all then
        sample := array(select newest[1 + floor(random() * cardinality(newest))] from generate_series(1, step));
        matches := cardinality(app.matching_conversations(sample, names, numbers, emails, stems));
    end if;
    -- Even when only half of the page is to be expected: that the sample errs is cheaper so.
    if is_all or 2 * matches * cardinality(newest) >= wanted * step then
        while place <= cardinality(newest) and cardinality(found) < wanted loop
            found := found || app.matching_conversations(newest[place:place + step - 1], names, numbers, emails, stems);
            place := place + step;
        end loop;
        if is_all or cardinality(found) >= wanted then
            return found;
        end if;
    end if;
    -- Planned for the text at hand: how many names it fits decides how they are best read.
    execute '
        select array(
            select clients.id from clients where clients.company_id = $1 and app.searchable(clients.name) like any ($2)
            union
            select client_id from client_identities where company_id = $1 and value like any ($3)
            union
            select client_id from client_identities where company_id = $1 and kind = ''email'' and value like any ($4))'
       into found_clients
      using company, names, numbers, emails;
    return array(
        select conversations.id
          from conversations
         where conversations.company_id = company and conversations.client_id = any (found_clients)
        union
        -- The stems are the company's own.
        select messages.conversation_id
          from messages
         where messages.body <> ''
           and messages.deleted_at is null
           and app.stems(messages.company_id, app.searchable(messages.body)) @> stems);
end
$function$;

CREATE OR REPLACE FUNCTION app.find_crm(wanted uuid)
 RETURNS TABLE(company_id uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query select connection.company_id from crm_connections connection where connection.id = wanted and connection.status <> 'disabled';
end
$function$;

CREATE OR REPLACE FUNCTION app.find_invite(invite uuid)
 RETURNS TABLE(company_id uuid, company_name text, email text, name text, role text, expires_at timestamp with time zone, state text, inviter_name text, person uuid, password_hash text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select companies.id, companies.name, invites.email, invites.name, invites.role, invites.expires_at,
           case when invites.used_at is not null then 'used'
                when invites.revoked_at is not null then 'revoked'
                when invites.expires_at <= now() then 'expired'
                else 'open' end,
           inviters.name, users.id, users.password_hash
      from invites
      join companies on companies.id = invites.company_id
      join users inviters on inviters.id = invites.invited_by
      left join users on users.email = invites.email
     where invites.id = invite;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_knowledge(asked text[], factors real[], phrases text[], of_audience text, wanted integer, meant text, of_model text, meaning real[] DEFAULT NULL::real[])
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
declare
    -- Articles that are compared by terms: those of rare ones come first.
    most_postings constant bigint := 5000;
    company constant uuid := app.company_id();
    count_all constant bigint := (select count(*) from knowledge_articles where company_id = company and removed_at is null);
    synonyms jsonb;
    alike jsonb := '{}';
    near text[];
    counts jsonb := '{}';
    item record;
    articles bigint;
    written text;
    taken text[] := '{}';
    taken_factors real[] := '{}';
    found uuid[] := '{}';
    by_meaning uuid[] := '{}';
begin
    select coalesce(jsonb_object_agg(key, value), '{}')
      into synonyms
      from knowledge_synonyms, jsonb_each(knowledge_synonyms.phrases)
     where company_id = company and key = any (find_knowledge.asked || find_knowledge.phrases);
    for item in
        select term, max(factor) as factor
          from (select term, factor from unnest(asked, factors) given (term, factor)
                union all
                select jsonb_array_elements_text(value), 0.9 from jsonb_each(synonyms)) every
         group by term
    loop
        near := array[item.term];
        if item.factor >= 1 and length(item.term) >= 4 and item.term !~ '[0-9]'
           and not exists (select from knowledge_terms where company_id = company and knowledge_terms.term = item.term) then
            near := array(
                select known.term
                  from knowledge_vocabulary known
                 where known.company_id = company and known.term % item.term
                 order by similarity(known.term, item.term) desc, known.term
                 limit 6);
            alike := alike || jsonb_build_object(item.term, near);
        end if;
        foreach written in array near loop
            select count(*) into articles from knowledge_terms where company_id = company and knowledge_terms.term = written;
            if articles > 0 and not counts ? written then
                counts := counts || jsonb_build_object(written, articles);
                taken := taken || written;
                taken_factors := taken_factors || case when written = item.term then item.factor else 0.8 end::real;
            end if;
        end loop;
    end loop;
    -- What has the rarest terms, up to so many rows; at least those of one term.
    with terms as (
        select term, factor, (counts ->> term)::bigint as articles,
               sum((counts ->> term)::bigint) over (order by (counts ->> term)::bigint, term) as so_far,
               row_number() over (order by (counts ->> term)::bigint, term) as place
          from unnest(taken, taken_factors) given (term, factor)
    ), best as (
        select postings.article_id, sum(postings.weight * terms.factor * ln(1 + count_all::real / terms.articles)) as worth
          from terms
          join knowledge_terms postings on postings.company_id = company and postings.term = terms.term
         where (terms.so_far <= most_postings or terms.place = 1)
           and postings.audience in ('both', of_audience)
           and (postings.valid_from is null or postings.valid_from <= now())
           and (postings.valid_until is null or postings.valid_until > now())
         group by postings.article_id
         order by worth desc, postings.article_id
         limit wanted
    )
    select coalesce(array_agg(article_id order by worth desc, article_id), '{}') into found from best;
    if meaning is not null and to_regtype('vector') is not null then
        -- The nearest, whatever they are; those of them that may be told.
        perform set_config('hnsw.ef_search', '200', true);
        execute format(
            'with near_by as materialized (
                select article_id, embedding::vector(%1$s) <=> $1::vector(%1$s) as distance
                  from knowledge_embeddings
                 where company_id = %2$L and length(signs) = %1$s and model = $2
                 order by embedding::vector(%1$s) <=> $1::vector(%1$s)
                 limit 200
            )
            select coalesce(array_agg(article_id order by distance, article_id), ''{}'')
              from (select near_by.article_id, near_by.distance
                      from near_by
                      join knowledge_articles article on article.company_id = %2$L and article.id = near_by.article_id
                     where article.status = ''active'' and article.removed_at is null
                       and article.audience in (''both'', $3)
                       and (article.valid_from is null or article.valid_from <= now())
                       and (article.valid_until is null or article.valid_until > now())
                     order by near_by.distance, near_by.article_id
                     limit $4) told', length(meant), company)
           into by_meaning using meaning, of_model, of_audience, wanted;
    end if;
    -- The signs say so without the extension, and beside it: an index leaves out a few, and the nearest may not be told.
    if meant is not null then
        by_meaning := by_meaning || array(
            select article_id
              from knowledge_embeddings near_by
              join knowledge_articles article on article.company_id = near_by.company_id and article.id = near_by.article_id
             where near_by.company_id = company
               and near_by.model = of_model
               and length(near_by.signs) = length(meant)
               and article.status = 'active' and article.removed_at is null
               and article.audience in ('both', of_audience)
               and (article.valid_from is null or article.valid_from <= now())
               and (article.valid_until is null or article.valid_until > now())
             order by bit_count(near_by.signs # meant::varbit), article_id
             limit wanted);
    end if;
    return jsonb_build_object(
        'count', count_all, 'counts', counts, 'alike', alike, 'synonyms', synonyms,
        'articles', (
            select coalesce(jsonb_agg(jsonb_build_object('id', id, 'lines', lines, 'terms', terms, 'helped', helped, 'not_helped', not_helped)), '[]')
              from knowledge_articles
             where company_id = company and id = any (found || by_meaning)));
end
$function$;

CREATE OR REPLACE FUNCTION app.find_leads(query text)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    inside text := '%' || replace(replace(replace(app.searchable(query), '\', '\\'), '%', '\%'), '_', '\_') || '%';
begin
    return array(
        select id from leads
         where company_id = company
           and app.searchable(name || ' ' || coalesce(email, '') || ' ' || coalesce(organisation, '') || ' ' || coalesce(phone, '')) like inside
           and ((select app.sees_all()) or closer_id = (select app.user_id()) or sdr_id = (select app.user_id())
                or pipeline_id = any ((select app.own_pipelines())::uuid[]))
         order by created_at desc, id desc
         limit 100000);
end
$function$;

CREATE OR REPLACE FUNCTION app.find_login(address text)
 RETURNS TABLE(user_id uuid, name text, password_hash text, company_id uuid, company_name text, company_slug text, role text, status text, has_second_factor boolean, avatar_url text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    select users.id, users.name, users.password_hash, companies.id, companies.name, companies.slug, memberships.role, memberships.status,
           exists (select from second_factors where second_factors.user_id = users.id and second_factors.enabled_at is not null),
           '/storage/download/' || memberships.avatar_file_id
      from users
      left join memberships on memberships.user_id = users.id
      left join companies on companies.id = memberships.company_id
     where users.email = lower(address)
     order by memberships.status = 'active' desc, memberships.is_primary desc, memberships.created_at, companies.id
$function$;

CREATE OR REPLACE FUNCTION app.find_messages(query text, in_conversation uuid, of_client uuid, sender text, sent_by uuid, of_kind text, in_department uuid, on_channel uuid, since timestamp with time zone, until timestamp with time zone, at timestamp with time zone, at_id uuid, oldest_first boolean, wanted bigint)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET work_mem TO '64MB'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET enable_seqscan TO 'off'
AS $function$
declare
    sampled constant integer := 300;
    -- What is compared word by word; ten times as many where something else says of most that they are not meant.
    walked integer := 2000;
    company uuid := app.company_id();
    words text[] := app.stems(company, app.spaced(query));
    direction text := case when oldest_first then 'asc' else 'desc' end;
    -- What is searched at all, and the place.
    said text := 'messages.company_id = $1 and messages.body <> '''' and messages.deleted_at is null
                  and messages.sender_type <> ''system'' and messages.kind <> ''reaction'''
        || case when since is not null then ' and messages.sent_at >= $10' else '' end
        || case when until is not null then ' and messages.sent_at < $11' else '' end
        || case when at is null then ''
                when oldest_first then ' and (messages.sent_at, messages.id) > ($12, $13)'
                else ' and (messages.sent_at, messages.id) < ($12, $13)' end;
    has_words text := ' and app.stems(messages.company_id, app.searchable(messages.body)) @> $2';
    -- What the caller asks of the messages themselves.
    asked text :=
        case when in_conversation is not null then ' and messages.conversation_id = $3' else '' end
        || case when of_client is not null then
                ' and messages.conversation_id = any (array(
                      select id from conversations where company_id = $1 and client_id = $4))' else '' end
        || case when sender is not null then ' and messages.sender_type = $5' else '' end
        || case when sent_by is not null then ' and messages.sender_id = $6' else '' end
        || case when of_kind is not null then ' and messages.kind = $7' else '' end
        -- Files are few, and have an index.
        || case when of_kind in ('image', 'audio', 'video', 'document', 'sticker') then ' and messages.file_id is not null' else '' end
        || case when on_channel is not null then ' and messages.channel_account_id = $9' else '' end;
    -- What is asked of their conversations, and seen.
    seen text :=
        case when in_department is not null then ' and conversations.department_id = $8' else '' end
        || case when app.sees_all() then ''
                else ' and (conversations.assignee_id = $14 or $14 = any (conversations.participant_ids)
                            or (conversations.department_id is null or conversations.department_id = any ($15))
                               and ($16 = ''department'' or conversations.assignee_id is null))' end;
    joined constant text := ' join conversations on conversations.company_id = messages.company_id
                                                and conversations.id = messages.conversation_id';
    ordered text := format(' order by messages.sent_at %1$s, messages.id %1$s', direction);
    newest text;
    few uuid[];
    matches integer;
    found uuid[];
begin
    if words = '{}' then
        return '{}';
    end if;
    if in_conversation is null and of_client is null then
        walked := case when asked || seen = '' then walked else 10 * walked end;
        newest := '(select * from messages where ' || said || ordered || ' limit %s) messages';
        execute 'select count(*) from ' || format(newest, sampled) || joined || ' where true' || asked || seen || has_words
           into matches
          using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                app.user_id(), app.department_ids(), app.visibility();
        if matches * walked >= wanted * sampled then
            execute 'select array(select messages.id from ' || format(newest, walked) || joined || ' where true' || asked || seen || has_words
                    || ordered || format(' limit %s)', wanted)
               into found
              using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                    app.user_id(), app.department_ids(), app.visibility();
            if cardinality(found) >= wanted then
                return found;
            end if;
        end if;
    end if;
    -- Of who sees little, only that is looked at.
    if not app.sees_all() then
        execute 'select array(select conversations.id from conversations where conversations.company_id = $1' || seen || ' limit 1001)'
           into few
          using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                app.user_id(), app.department_ids(), app.visibility();
        if cardinality(few) <= 1000 then
            asked := asked || ' and messages.conversation_id = any ($17)';
        end if;
    end if;
    -- All that have the words, by their index: the planner would rather walk through everything in order, and compare word by word. Then one
    -- by one in order, until the page is full.
    execute 'with matches as materialized (
                 select messages.id, messages.sent_at, messages.company_id, messages.conversation_id
                   from messages where ' || said || has_words || asked || ')
             select array(select messages.id from (select * from matches messages' || ordered || ') messages
                           where (select true from conversations
                                   where conversations.company_id = messages.company_id and conversations.id = messages.conversation_id'
            || seen || format(') limit %s)', wanted)
       into found
      using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
            app.user_id(), app.department_ids(), app.visibility(), few;
    return found;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_namesake(phones text[], mail text, paper text, but_for uuid)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
begin
    return (
        select known.id
          from (select client_id as id from client_identities
                 where company_id = company and (kind = 'phone' and value = any (phones) or kind = 'email' and value = mail)
                union all
                select id from clients
                 where company_id = company and email is not null and lower(email) = mail and merged_into_id is null
                union all
                select id from clients
                 where company_id = company and document is not null and document = paper and merged_into_id is null) known
         where known.id is distinct from but_for
         order by known.id
         limit 1);
end
$function$;

CREATE OR REPLACE FUNCTION app.find_notes(query text)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    spaced text := app.spaced(query);
begin
    return array(select id from notes
                  where company_id = company and deleted_at is null
                    and spaced <> '' and app.searchable(text) like '%' || spaced || '%');
end
$function$;

CREATE OR REPLACE FUNCTION app.find_password(company uuid, person uuid, claimed_role text, session uuid)
 RETURNS TABLE(email text, name text, locale text, password_hash text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    perform from app.session_access(company, person, claimed_role, session);
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    return query select users.email, users.name, users.locale, users.password_hash from users where users.id = person;
end
$function$;

CREATE OR REPLACE FUNCTION app.find_password_reset(reset uuid)
 RETURNS TABLE(email text, name text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query
    select users.email, users.name
      from password_resets
      join memberships on memberships.company_id = password_resets.company_id and memberships.user_id = password_resets.user_id
      join users on users.id = password_resets.user_id
     where password_resets.id = reset
       and password_resets.used_at is null
       and password_resets.expires_at > now()
       and memberships.status = 'active';
end
$function$;

CREATE OR REPLACE FUNCTION app.first_there(people uuid[])
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
    return coalesce(
        (select user_id from public.memberships
          where company_id = app.company_id() and user_id = any (people) and status = 'active' and role <> 'student'
          order by array_position(people, user_id)
          limit 1),
        (select user_id from public.memberships
          where company_id = app.company_id() and status = 'active' and role = 'admin'
          order by created_at, user_id
          limit 1));
end
$function$;

CREATE OR REPLACE FUNCTION app.fold(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select lower(public.unaccent('public.unaccent', value)) $function$;

CREATE OR REPLACE FUNCTION app.follow_chat_message()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    has_read boolean := app.user_id() is not null;
begin
    insert into chat_message_files (company_id, file_id, message_id)
    select new.company_id, file, new.id from unnest(new.file_ids) file on conflict do nothing;
    if new.mentions <> '{}' then
        insert into chat_mentions (company_id, user_id, message_id, channel_id, root_id, place, thread_place, way, at)
        select new.company_id, mentioned.user_id, new.id, new.channel_id, new.root_id, new.place, new.thread_place, mentioned.way,
               new.created_at
          from app.mentioned(new.channel_id, app.mention_ways(new.mentions)) mentioned
         where mentioned.user_id <> new.author_id;
    end if;
    if new.root_id is not null then
        insert into chat_thread_followers (company_id, root_id, channel_id, user_id, read_place)
        select new.company_id, new.root_id, new.channel_id, person, case when person = new.author_id then new.thread_place
                    else (select coalesce(min(thread_place), new.thread_place) - 1
                            from chat_mentions
                           where company_id = new.company_id and user_id = person and root_id = new.root_id) end
          from (select author_id from chat_messages where company_id = new.company_id and id = new.root_id
                union
                select new.author_id
                union
                select user_id from chat_mentions where company_id = new.company_id and message_id = new.id and way like 'person:%') people (person)
         order by person
            on conflict (company_id, root_id, user_id) do update
           set is_following = chat_thread_followers.is_following or not chat_thread_followers.has_chosen or excluded.user_id = new.author_id
                          or exists (select from chat_mentions
                                      where company_id = new.company_id and user_id = excluded.user_id and message_id = new.id
                                        and way like 'person:%'),
               read_place = case when excluded.user_id = new.author_id and has_read then new.thread_place
                                 else chat_thread_followers.read_place end;
    end if;
    if new.place is not null then
        -- What was posted while its author was away counts as read where they had read everything before.
        update channel_members set read_place = new.place, draft = case when has_read then '' else draft end, is_hidden = false
         where company_id = new.company_id and channel_id = new.channel_id and user_id = new.author_id
           and (has_read or read_place = new.place - 1);
        update channel_members set is_hidden = false
         where company_id = new.company_id and channel_id = new.channel_id and is_hidden;
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_client()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    further uuid;
begin
    loop
        select merged_into_id into further from clients where company_id = new.company_id and id = new.client_id for share;
        exit when further is null;
        new.client_id := further;
    end loop;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_conversation()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update scheduled_messages
       set conversation_id = new.merged_into_id
     where company_id = new.company_id and conversation_id = new.id;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_flow(flow uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'flows are the supervisors'' to publish';
    end if;
    update channel_accounts
       set bot_flow_id = flow
     where company_id = app.company_id()
       and bot_flow_id in (select other.id
                             from bot_flows published
                             join bot_flows other on other.company_id = published.company_id and other.key = published.key
                            where published.company_id = app.company_id() and published.id = flow and other.id <> flow);
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_knowledge()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    is_found constant boolean := new.status = 'active' and new.removed_at is null;
begin
    if tg_op = 'INSERT' or new.version <> old.version then
        insert into knowledge_revisions (company_id, article_id, version, title, answer, questions, tags, audience, status, valid_from,
                                         valid_until, author_id, restored_from, at)
        values (new.company_id, new.id, new.version, new.title, new.answer, new.questions, new.tags, new.audience, new.status, new.valid_from,
                new.valid_until, new.author_id, new.restored_from, new.updated_at);
    end if;
    delete from knowledge_terms
     where company_id = new.company_id and article_id = new.id and not (is_found and term = any (new.terms));
    if is_found then
        insert into knowledge_terms (company_id, term, article_id, weight, audience, valid_from, valid_until)
        select new.company_id, term, new.id, weight, new.audience, new.valid_from, new.valid_until
          from unnest(new.terms, new.weights) of_article (term, weight)
            on conflict (company_id, article_id, term) do update
           set weight = excluded.weight, audience = excluded.audience, valid_from = excluded.valid_from, valid_until = excluded.valid_until
         where (knowledge_terms.weight, knowledge_terms.audience, knowledge_terms.valid_from, knowledge_terms.valid_until)
               is distinct from (excluded.weight, excluded.audience, excluded.valid_from, excluded.valid_until);
        insert into knowledge_vocabulary (company_id, term)
        select new.company_id, term
          from unnest(new.terms) of_article (term)
         where not exists (select from knowledge_vocabulary known where known.company_id = new.company_id and known.term = of_article.term)
         order by term
            on conflict do nothing;
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_membership()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if new.status = 'active' and new.role <> 'student' then
        insert into channel_members (company_id, channel_id, user_id, read_place)
        select company_id, id, new.user_id, last_place from channels where company_id = new.company_id and is_general
            on conflict do nothing;
    elsif new.status = 'removed' or new.role = 'student' then
        delete from channel_members
         using channels
         where channel_members.company_id = new.company_id and channel_members.user_id = new.user_id
           and channels.company_id = new.company_id and channels.id = channel_members.channel_id and channels.kind <> 'direct';
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_presence(company uuid, person uuid, why text, revoked timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    -- Connections that differ show what is most present.
    levels constant text[] := array['online', 'busy', 'away', 'break'];
    moment timestamptz := date_trunc('second', now());
    until timestamptz;
    shows text;
    reason_shown text;
    last public.presence_intervals;
    is_open boolean;
    is_back boolean;
begin
    loop
        select * into last
          from public.presence_intervals
         where company_id = company and user_id = person
         order by started_at desc, ended_at desc
         limit 1
           for no key update;
        -- Another one may have been added while that was waited for.
        exit when last.id is not distinct from (select id from public.presence_intervals
                                                 where company_id = company and user_id = person
                                                 order by started_at desc, ended_at desc
                                                 limit 1);
    end loop;
    select date_trunc('second', max(lease_until)), levels[min(array_position(levels, status))]
      into until, shows
      from public.presence_leases leases
     where leases.company_id = company and leases.user_id = person and lease_until >= now()
       and not exists (select from public.sessions where sessions.id = leases.session_id and sessions.revoked_at is not null);
    is_open := coalesce(last.end_cause is null and last.ended_at >= moment, false);
    is_back := coalesce(last.end_cause = 'disconnect' and last.ended_at >= moment - interval '60 seconds', false);
    if until is null then
        -- A lease that ran out, and one that is made to, ends where it says.
        if last.id is not null and last.end_cause is null then
            if why in ('connect', 'ping', 'set', 'break') then
                until := (select date_trunc('second', max(lease_until)) from public.presence_leases leases
                           where leases.company_id = company and leases.user_id = person);
            elsif is_open then
                until := moment;
            end if;
            update public.presence_intervals
               set ended_at = greatest(started_at, least(ended_at, until, date_trunc('second', revoked))),
                   end_cause = case when revoked <= ended_at then 'revoked' when is_open and why = 'disconnect' then why else 'lapsed' end
             where id = last.id;
        end if;
        return;
    end if;
    if shows = 'break' then
        reason_shown := coalesce(nullif(current_setting('app.break_reason', true), ''), last.reason, 'other');
    end if;
    if (is_open or is_back) and (last.state, last.reason) is not distinct from (shows, reason_shown) then
        update public.presence_intervals
           set ended_at = greatest(started_at, until), end_cause = null
         where id = last.id and (ended_at, end_cause) is distinct from (greatest(started_at, until), null);
        return;
    end if;
    if (is_open or is_back) and last.started_at >= moment then
        -- It has not lasted a second.
        update public.presence_intervals
           set ended_at = greatest(started_at, until), end_cause = null, state = shows, reason = reason_shown, cause = why
         where id = last.id;
        return;
    end if;
    if is_open or is_back then
        update public.presence_intervals set ended_at = moment, end_cause = 'set' where id = last.id;
    else
        if last.end_cause is null then
            update public.presence_intervals set end_cause = 'lapsed' where id = last.id;
        end if;
        moment := greatest(moment, last.ended_at);
    end if;
    insert into public.presence_intervals (company_id, user_id, started_at, ended_at, state, reason, cause)
    values (company, person, moment, greatest(moment, until), shows, reason_shown, why);
end
$function$;

CREATE OR REPLACE FUNCTION app.follow_tag()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update clients
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end,
           version = version + 1
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    update conversations
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    update leads
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end,
           version = version + 1
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.followed_conversations()
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return array(select id from conversations where company_id = app.company_id() and participant_ids <> '{}' and participant_ids @> array[app.user_id()]);
end
$function$;

CREATE OR REPLACE FUNCTION app.followup_holidays()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
    return (
        select jsonb_build_object(
                   'time_zone', coalesce(calendars.time_zone, companies.time_zone),
                   'keeps_optional', coalesce(calendars.keeps_optional, true),
                   'custom', (select coalesce(jsonb_agg(jsonb_build_object('date', date, 'name', name, 'yearly', yearly) order by date, id), '[]')
                                from public.holidays where holidays.department_id is null))
          from public.companies
          left join public.calendars on calendars.company_id = companies.id and calendars.department_id is null
         where companies.id = app.company_id());
end
$function$;

CREATE OR REPLACE FUNCTION app.force_password_reset(reset uuid, member uuid)
 RETURNS TABLE(email text, name text, locale text, is_made boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    select users.email, users.name, users.locale into email, name, locale
      from memberships
      join users on users.id = memberships.user_id
     where memberships.company_id = app.company_id() and memberships.user_id = member and memberships.status = 'active'
       and exists (select from memberships caller
                    where caller.company_id = app.company_id() and caller.user_id = app.user_id()
                      and caller.status = 'active' and caller.role = 'admin');
    if found then
        is_made := app.add_password_reset(reset, app.company_id(), member, app.user_id());
        return next;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.forget_crm_fields()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update crm_records
       set lead_version = 0,
           agreed = agreed - array(select key from jsonb_object_keys(old.fields || new.fields) key
                                    where old.fields -> key is distinct from new.fields -> key)
     where company_id = new.company_id;
    new.read_until := null;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.has_open_conversation(client uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return exists (
        select from conversations
         where conversations.company_id = app.company_id() and conversations.client_id = client and conversations.ended_at is null);
end
$function$;

CREATE OR REPLACE FUNCTION app.has_opted_out(lead public.leads)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    select exists (
        select from public.followup_optouts optout
         where optout.company_id = lead.company_id
           and (optout.kind = 'lead' and optout.value = lead.id::text or optout.kind = 'phone' and optout.value = lead.phone
                or optout.kind = 'email' and optout.value = lead.email))
$function$;

CREATE OR REPLACE FUNCTION app.has_role(VARIADIC roles text[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    select exists (
        select from public.memberships
         where company_id = app.company_id() and user_id = app.user_id() and status = 'active' and role = any (roles))
$function$;

CREATE OR REPLACE FUNCTION app.has_second_factor(person uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return exists (select from second_factors where user_id = person and enabled_at is not null);
end
$function$;

CREATE OR REPLACE FUNCTION app.held_conversations()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE
AS $function$ select string_to_array(nullif(current_setting('app.held_conversation', true), ''), ',')::uuid[] $function$;

CREATE OR REPLACE FUNCTION app.held_leads()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE
AS $function$ select string_to_array(nullif(current_setting('app.held_leads', true), ''), ',')::uuid[] $function$;

CREATE OR REPLACE FUNCTION app.history_entry(kind text, id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
#variable_conflict use_variable
begin
    return case kind
        when 'conversation' then (
            select jsonb_build_object(
                       'conversation_id', c.id, 'channel_account_id', c.channel_account_id, 'status', c.status, 'subject', c.subject,
                       'department_id', c.department_id, 'assignee_id', c.assignee_id, 'ended_at', c.ended_at,
                       'close_reason', c.close_reason, 'last_message_preview', c.last_message_preview, 'rating', c.rating,
                       'rated_at', c.rated_at)
              from public.conversations c where c.id = history_entry.id)
        when 'transfer' then (
            select jsonb_build_object(
                       'conversation_id', t.conversation_id, 'from_user_id', t.from_user_id, 'to_user_id', t.to_user_id,
                       'from_department_id', t.from_department_id, 'to_department_id', t.to_department_id,
                       'by_user_id', t.by_user_id, 'reason', t.reason)
              from public.conversation_transfers t where t.id = history_entry.id)
        when 'consent' then (
            select jsonb_build_object('purpose', c.purpose, 'channel', c.channel, 'granted', c.granted, 'source', c.source)
              from public.client_consents c where c.id = history_entry.id)
        when 'merge' then (
            select jsonb_build_object('merge_id', m.id, 'merged_client_id', m.merged_client_id, 'by_user_id', m.by_user_id,
                                      'undone_at', m.undone_at)
              from public.client_merges m where m.id = history_entry.id)
        when 'note' then (
            select jsonb_build_object(
                       'conversation_id', n.conversation_id, 'author_id', n.author_id, 'text', n.text, 'is_pinned', n.is_pinned)
              from public.notes n where n.id = history_entry.id)
        when 'file' then (
            select jsonb_build_object('file_id', f.file_id, 'added_by_id', f.added_by, 'name', files.name, 'mime_type', files.mime_type)
              from public.client_files f
              join public.files on files.company_id = f.company_id and files.id = f.file_id
             where f.file_id = history_entry.id)
    end;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_assignee()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from memberships
      where company_id = new.company_id and user_id = new.assignee_id and status = 'active' and role <> 'student'
        for share;
    if not found then
        raise serialization_failure using message = 'a conversation is given to somebody who is not there any more';
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_client_file()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if not exists (select from files
                    where company_id = new.company_id and id = new.file_id
                      and uploaded_by = app.user_id() and status = 'ready' and purpose = 'document') then
        raise insufficient_privilege using message = 'only a document of one''s own is put with a client';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_clients(one uuid, other uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
begin
    perform app.lock_keys(array(select kind || ':' || value from client_identities
                                 where company_id = company and client_id in (one, other)));
    perform from clients where company_id = company and id in (one, other) order by id for no key update;
    perform from conversations where company_id = company and client_id in (one, other) order by id for update;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_family(family uuid)
 RETURNS void
 LANGUAGE sql
AS $function$ select pg_advisory_xact_lock(hashtextextended('family:' || family, 0)) $function$;

CREATE OR REPLACE FUNCTION app.hold_flow_files()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    named uuid[] := app.files_of_flow(new.definition);
begin
    perform from files where company_id = new.company_id and id = any (named) order by id for key share;
    if (select count(*) from files where company_id = new.company_id and id = any (named) and status = 'ready') < cardinality(named) then
        raise serialization_failure using message = 'a file of the flow has just gone';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_logins(company uuid, person uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    perform app.hold_family(family_id)
       from (select distinct family_id from public.sessions
              where company_id = company and user_id = person and revoked_at is null
              order by family_id) families;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_member(person uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from memberships where company_id = app.company_id() and user_id = person for share;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_members(company uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    perform from public.companies where id = company for no key update;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_mentee_month()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if new.month > (now() at time zone (select time_zone from public.companies where id = new.company_id))::date then
        raise check_violation using message = 'a month to come has no figures', constraint = 'mentee_evolutions_to_come';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_merge(merge uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    done client_merges;
begin
    select * into done from client_merges where company_id = app.company_id() and id = merge;
    perform app.hold_clients(done.client_id, done.merged_client_id);
    perform from client_merges where company_id = app.company_id() and id = merge for update;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_own_unread()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.hold_unread(array[app.user_id()]);
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_participants()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    added uuid[] := array(select person from unnest(new.participant_ids) person
                           where person <> all (old.participant_ids));
begin
    perform from memberships
      where company_id = new.company_id and user_id = any (added) and status = 'active' and role <> 'student'
      order by user_id
        for share;
    if (select count(*) from memberships
         where company_id = new.company_id and user_id = any (added) and status = 'active' and role <> 'student') < cardinality(added) then
        raise serialization_failure using message = 'a conversation is followed by somebody who is not there any more';
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_planned_file()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if not exists (select from files where files.id = new.file_id) then
        raise insufficient_privilege using message = 'a file is planned by who sees it';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_quick_replies()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform pg_advisory_xact_lock(hashtextextended(
        format('quick_replies %s %s', new.company_id, coalesce(new.owner_id, new.department_id)), 0));
    if (select count(*) from quick_replies
         where company_id = new.company_id and owner_id is not distinct from new.owner_id
           and department_id is not distinct from new.department_id) >= 200 then
        raise check_violation using message = 'there are 200 quick replies already', constraint = 'quick_replies_most';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_quick_reply_files()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    had uuid[] := case when tg_op = 'UPDATE' then old.file_ids else '{}' end;
    added uuid[] := array(select distinct file from unnest(new.file_ids) file where file <> all (had));
begin
    perform from files where company_id = new.company_id and id = any (added) order by id for key share;
    if (select count(*) from files
         where company_id = new.company_id and id = any (added)
           and uploaded_by = app.user_id() and status = 'ready' and purpose = 'message') < cardinality(added) then
        raise serialization_failure using message = 'a file of a quick reply has just gone';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_stages(wanted uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from stages where company_id = app.company_id() and id = any (wanted) order by id for no key update;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_tagged(tag uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    wanted text := (select name from tags where company_id = company and id = tag);
begin
    perform from clients where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
    perform from conversations where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
    perform from leads where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_unread(people uuid[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    insert into public.notification_heads as heads (user_id)
    select person
      from unnest(people) person
      join public.memberships on memberships.company_id = app.company_id() and memberships.user_id = person
     group by person
     order by person
        on conflict (company_id, user_id) do update set revision = heads.revision + 1;
end
$function$;

CREATE OR REPLACE FUNCTION app.hold_views()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    others integer;
begin
    perform pg_advisory_xact_lock(hashtextextended(format('views %s %s %s', new.company_id, new.owner_id, new.kind), 0));
    select count(*), coalesce(max(position), 0) + 1 into others, new.position
      from views where company_id = new.company_id and kind = new.kind and owner_id is not distinct from new.owner_id;
    if others >= 50 then
        raise check_violation using message = 'there are 50 views already', constraint = 'views_most';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.index_meanings()
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
declare
    -- So many of 1,536 numbers are compared within 30 ms, and each rightly. The index takes no more than so many numbers.
    many constant integer := 2000;
    longest constant integer := 2000;
    company constant uuid := app.company_id();
    prefix constant text := 'knowledge_near_' || replace(company::text, '-', '') || '_';
    numbers integer;
    old text;
begin
    if to_regtype('vector') is null then
        return false;
    end if;
    select length(signs) into numbers
      from knowledge_embeddings
     where company_id = company
     group by length(signs)
     order by count(*) desc
     limit 1;
    for old in
        select relname
          from pg_class
         where relkind = 'i' and starts_with(relname, prefix)
           and not exists (select from knowledge_embeddings
                            where company_id = company and length(signs) = substr(relname, length(prefix) + 1)::integer)
    loop
        execute format('drop index %I', old);
    end loop;
    if numbers is null or numbers > longest
       or (select count(*) from knowledge_embeddings where company_id = company and length(signs) = numbers) < many then
        return false;
    end if;
    if to_regclass(prefix || numbers) is null then
        execute format('create index %I on knowledge_embeddings using hnsw ((embedding::vector(%s)) vector_cosine_ops)
                         where company_id = %L and length(signs) = %2$s', prefix || numbers, numbers, company);
    end if;
    return true;
exception when lock_not_available or query_canceled or undefined_object then
    -- Somebody is writing or reading, or it takes too long: what is compared one by one is right, too.
    return false;
end
$function$;

CREATE OR REPLACE FUNCTION app.instances_to_check(most integer)
 RETURNS TABLE(channel_account_id uuid, company_id uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select instance.channel_account_id, instance.company_id
      from evolution_instances instance
      join channel_accounts channel on channel.id = instance.channel_account_id
     where channel.status <> 'disabled' and instance.told_at < now() - interval '2 minutes'
     order by instance.told_at
     limit most;
end
$function$;

CREATE OR REPLACE FUNCTION app.is_of_own_mentoring(topic text, audience text[], data jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
    return topic = 'company:' || app.company_id()
       and data - array['mentee_id', 'month', 'feedback_id'] = '{}'
       and coalesce(data ->> 'month', '2000-01') ~ '^[0-9]{4}-[0-9]{2}$'
       and coalesce(data ->> 'feedback_id', data ->> 'mentee_id') ~ '^[0-9a-f-]{36}$'
       and exists (select from public.mentees
                    where mentees.company_id = app.company_id() and mentees.client_id = app.client_id()
                      and mentees.id::text = data ->> 'mentee_id' and audience = array['department:none', 'user:' || mentees.mentor_id]);
end
$function$;

CREATE OR REPLACE FUNCTION app.is_opt_out(words text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select app.spaced(words) in ('parar', 'pare', 'para', 'sair', 'stop', 'cancelar', 'cancele', 'descadastrar', 'me descadastre', 'remover',
                                 'me remova', 'unsubscribe', 'nao quero mais', 'nao quero mais receber', 'nao quero receber', 'parar de receber')
$function$;

CREATE OR REPLACE FUNCTION app.join_clients(merge uuid, one uuid, other uuid, why jsonb, wanted uuid DEFAULT NULL::uuid)
 RETURNS TABLE(winner uuid, loser uuid, kept uuid, closed uuid)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
    stays clients;
    goes clients;
    pair record;
    kept_ids uuid[] := '{}';
    closed_ids uuid[] := '{}';
    joined jsonb := '[]';
    undo jsonb;
begin
    if app.user_id() is not null and current_user <> 'app_lookup' then
        raise insufficient_privilege using message = 'clients are joined by the system alone';
    end if;
    perform from clients where id in (one, other) order by id for no key update;
    perform from conversations where company_id = app.company_id() and client_id in (one, other) order by id for update;
    select * into stays from clients where id in (one, other) order by id is distinct from wanted, created_at, id limit 1;
    select * into goes from clients where id in (one, other) and id <> stays.id;
    if goes.id is null then
        return;
    end if;
    select jsonb_build_object(
               'client', to_jsonb(stays),
               'merged_client', to_jsonb(goes),
               'identities', (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', value)), '[]')
                                from client_identities where company_id = goes.company_id and client_id = goes.id),
               'conversations', (select coalesce(jsonb_agg(id), '[]') from conversations where company_id = goes.company_id and client_id = goes.id),
               'memberships', (select coalesce(jsonb_agg(user_id), '[]') from memberships where company_id = goes.company_id and client_id = goes.id),
               'consents', (select coalesce(jsonb_agg(id), '[]') from client_consents where company_id = goes.company_id and client_id = goes.id),
               'clients', (select coalesce(jsonb_agg(id), '[]') from clients where company_id = goes.company_id and merged_into_id = goes.id))
      into undo;
    for pair in
        select case when theirs.holds > mine.holds then theirs.id else mine.id end as kept,
               case when theirs.holds > mine.holds then mine.id else theirs.id end as closed
          from (select id, channel_account_id, row (assignee_id is not null, mode = 'human') as holds
                  from conversations where company_id = stays.company_id and client_id = stays.id and ended_at is null) mine
          join (select id, channel_account_id, row (assignee_id is not null, mode = 'human') as holds
                  from conversations where company_id = goes.company_id and client_id = goes.id and ended_at is null) theirs using (channel_account_id)
         order by mine.id
    loop
        joined := joined || app.join_conversations(pair.kept, pair.closed);
        kept_ids := kept_ids || pair.kept;
        closed_ids := closed_ids || pair.closed;
    end loop;
    update conversations set client_id = stays.id where company_id = goes.company_id and client_id = goes.id;
    update client_identities set client_id = stays.id where company_id = goes.company_id and client_id = goes.id;
    perform app.move_students(goes.id, stays.id);
    update client_consents set client_id = stays.id where company_id = goes.company_id and client_id = goes.id;
    update clients set merged_into_id = stays.id where company_id = goes.company_id and merged_into_id = goes.id;
    update clients set merged_into_id = stays.id, version = version + 1 where id = goes.id;
    update clients
       set name = case when stays.name_source = 'number' then goes.name else stays.name end,
           name_source = case when stays.name_source = 'number' then goes.name_source else stays.name_source end,
           name_told_at = case when stays.name_source = 'number' then goes.name_told_at else stays.name_told_at end,
           document = coalesce(stays.document, goes.document),
           email = coalesce(stays.email, goes.email),
           tags = array(select distinct tag from unnest(stays.tags || goes.tags) tag order by tag),
           blocked_at = coalesce(stays.blocked_at, goes.blocked_at),
           blocked_count = stays.blocked_count + goes.blocked_count,
           custom_fields = goes.custom_fields || stays.custom_fields,
           -- Two that are too long together stay as they are: `undo` has the other's.
           metadata = case when octet_length((goes.metadata || stays.metadata)::text) <= 16384 then goes.metadata || stays.metadata
                           else stays.metadata end,
           version = version + 1
     where id = stays.id;
    insert into client_merges (id, client_id, merged_client_id, proof, undo)
    values (merge, stays.id, goes.id, why, undo || jsonb_build_object('joined', joined));
    -- What waits to be delivered keeps its order: it waits in one lane now.
    update jobs
       set lane = moved.kept::text
      from unnest(kept_ids, closed_ids) moved (kept, closed)
     where jobs.queue = 'delivery' and jobs.lane = moved.closed::text and jobs.finished_at is null;
    return query select stays.id, goes.id, moved.kept, moved.closed
                   from (values (true)) always
                   left join unnest(kept_ids, closed_ids) moved (kept, closed) on true;
end
$function$;

CREATE OR REPLACE FUNCTION app.join_conversations(kept_id uuid, closed_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
    kept conversations;
    closed conversations;
    unread integer;
    unanswered integer;
    renumbered jsonb;
    undo jsonb;
begin
    if app.user_id() is not null and current_user <> 'app_lookup' then
        raise insufficient_privilege using message = 'conversations are joined by the system alone';
    end if;
    select * into kept from conversations where id = kept_id;
    select * into closed from conversations where id = closed_id;
    select jsonb_build_object(
               'kept', to_jsonb(kept),
               'closed', to_jsonb(closed),
               'messages', (select coalesce(jsonb_object_agg(id, inbound_number), '{}') from messages where company_id = closed.company_id and conversation_id = closed.id),
               'files', (select coalesce(jsonb_agg(id), '[]') from files where company_id = closed.company_id and conversation_id = closed.id),
               'transfers', (select coalesce(jsonb_agg(id), '[]') from conversation_transfers where company_id = closed.company_id and conversation_id = closed.id),
               'handlers', (select coalesce(jsonb_agg(user_id), '[]') from conversation_handlers where company_id = closed.company_id and conversation_id = closed.id),
               'kept_handlers', (select coalesce(jsonb_agg(user_id), '[]') from conversation_handlers where company_id = kept.company_id and conversation_id = kept.id),
               'scheduled', (select coalesce(jsonb_agg(id), '[]') from scheduled_messages where company_id = closed.company_id and conversation_id = closed.id),
               'conversations', (select coalesce(jsonb_agg(id), '[]') from conversations where company_id = closed.company_id and merged_into_id = closed.id))
      into undo;
    with numbered as (
        select messages.id, messages.conversation_id, messages.inbound_number as old_number,
               case when messages.inbound_number is not null then
                   row_number() over (partition by messages.inbound_number is null
                                      order by messages.sent_at, messages.id)::integer end as number,
               case when messages.conversation_id = kept.id then kept.read_count else closed.read_count end as read_count,
               case when messages.conversation_id = kept.id then kept.bot_answered else closed.bot_answered end as bot_answered
          from messages
         where messages.company_id = kept.company_id and messages.conversation_id in (kept.id, closed.id)
    ), moved as (
        update messages
           set conversation_id = kept.id, inbound_number = numbered.number
          from numbered
         where messages.id = numbered.id
           and (messages.conversation_id, messages.inbound_number) is distinct from (kept.id, numbered.number)
    )
    select min(number) filter (where old_number > numbered.read_count), min(number) filter (where old_number > numbered.bot_answered),
           coalesce(jsonb_object_agg(id, old_number) filter (where conversation_id = kept.id and old_number <> number), '{}')
      into unread, unanswered, renumbered
      from numbered;
    update files set conversation_id = kept.id where company_id = closed.company_id and conversation_id = closed.id;
    update conversation_transfers set conversation_id = kept.id where company_id = closed.company_id and conversation_id = closed.id;
    insert into conversation_handlers (conversation_id, user_id)
    select kept.id, user_id from conversation_handlers where company_id = closed.company_id and conversation_id = closed.id
    on conflict do nothing;
    delete from conversation_handlers where company_id = closed.company_id and conversation_id = closed.id;
    update conversations set merged_into_id = kept.id where company_id = closed.company_id and merged_into_id = closed.id;
    update conversations
       set ended_at = now(), close_reason = 'merged', merged_into_id = kept.id, version = version + 1, inbound_count = 0, read_count = 0,
           bot_answered = 0, bot_node = null, last_message_id = null, held_count = 0
     where id = closed.id;
    update conversations
       set inbound_count = kept.inbound_count + closed.inbound_count,
           held_count = kept.held_count + closed.held_count,
           read_count = least(coalesce(unread - 1, kept.inbound_count + closed.inbound_count), kept.inbound_count + closed.inbound_count),
           bot_answered = coalesce(unanswered - 1, kept.inbound_count + closed.inbound_count),
           last_message_at = greatest(kept.last_message_at, closed.last_message_at),
           last_message_id = case when closed.last_message_at > kept.last_message_at then closed.last_message_id else kept.last_message_id end,
           last_message_preview = case when closed.last_message_at > kept.last_message_at then closed.last_message_preview
                                       else kept.last_message_preview end,
           last_message_from = case when closed.last_message_at > kept.last_message_at then closed.last_message_from
                                    else kept.last_message_from end,
           window_expires_at = greatest(kept.window_expires_at, closed.window_expires_at),
           first_human_at = least(kept.first_human_at, closed.first_human_at),
           first_pending_at = least(kept.first_pending_at, closed.first_pending_at),
           pending_since = case when kept.pending_since is not null then least(kept.pending_since, closed.pending_since) end,
           started_at = least(kept.started_at, closed.started_at),
           priority = (array['low', 'normal', 'high', 'urgent'])[greatest(
               array_position(array['low', 'normal', 'high', 'urgent'], kept.priority),
               array_position(array['low', 'normal', 'high', 'urgent'], closed.priority))],
           tags = array(select distinct tag from unnest(kept.tags || closed.tags) tag order by tag),
           subject = coalesce(kept.subject, closed.subject),
           metadata = case when octet_length((closed.metadata || kept.metadata)::text) <= 16384 then closed.metadata || kept.metadata
                           else kept.metadata end,
           version = greatest(kept.version, closed.version) + 1
     where id = kept.id;
    return undo || jsonb_build_object('renumbered', renumbered);
end
$function$;

CREATE OR REPLACE FUNCTION app.join_live_department()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return case when app.live_department(new.company_id, new.department_id) = new.department_id then new end;
end
$function$;

CREATE OR REPLACE FUNCTION app.joined(value text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
begin
    return app.spaced(regexp_replace(value, '([[:alnum:]])[''’‘ʼ´`‐-](?=[[:alnum:]])', '\1', 'g'));
end
$function$;

CREATE OR REPLACE FUNCTION app.judge_record(new_events jsonb, new_jobs jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin'];
    rank integer;
    refused text;
begin
    select array_position(ranks, role) into rank
      from memberships
     where company_id = app.company_id() and user_id = app.user_id();
    select 'event ' || event.type into refused
      from jsonb_to_recordset(new_events) event (topic text, type text, audience text[], data jsonb)
      left join event_rules rule on rule.type = event.type
     where (array_position(ranks, rule.told_by) <= rank
            and case
                when rule.is_private then
                    event.topic = 'user:' || app.user_id() and event.audience = array['self:' || app.user_id()]
                when rank = 1 then app.is_of_own_mentoring(event.topic, event.audience, event.data)
                when exists (select from unnest(event.audience) key where key like 'self:%') then
                    event.topic ~ '^user:[0-9a-f-]{36}$' and event.audience = array['self:' || substr(event.topic, 6)]
                when exists (select from unnest(event.audience) key where key like 'channel:%') then
                    event.topic = 'company:' || app.company_id() and cardinality(event.audience) = 1
                    -- Whoever has just left says so to the others.
                    and (rule.type = 'chat.member_removed'
                         or event.audience[1] in (select 'channel:' || channel from app.my_channels() channel))
                else
                    event.topic in ('company:' || app.company_id(), 'dashboard:' || app.company_id())
                    or event.topic ~ '^(conversation|user):'
                end) is not true
     limit 1;
    if refused is null then
        select 'job ' || job.kind into refused
          from jsonb_to_recordset(new_jobs) job (kind text, queue text, run_at timestamptz)
          left join job_rules rule on rule.kind = job.kind and rule.queue = job.queue
         where (array_position(ranks, rule.added_by) <= rank and job.run_at is null) is not true
         limit 1;
    end if;
    if refused is not null then
        raise insufficient_privilege using message = format('%s is not this caller''s to record: see event_rules and job_rules', refused);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.judge_refresh_token(presented bytea)
 RETURNS TABLE(outcome text, session_id uuid, company_id uuid, user_id uuid, role text, family_id uuid, key_ids text[])
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    token record;
begin
    perform app.hold_family(sessions.family_id)
       from refresh_tokens
       join sessions on sessions.id = refresh_tokens.session_id
      where token_hash = presented;
    select sessions.id as session_id, sessions.company_id, sessions.user_id, memberships.role, sessions.family_id,
           array(select key_id from refresh_tokens as successor where successor.succeeds = presented order by created_at) as key_ids,
           sessions.revoked_at is null and sessions.expires_at > now() and memberships.status = 'active'
               and (companies.idle_minutes is null
                    or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes)) as is_open,
           refresh_tokens.expires_at, refresh_tokens.rotated_at, refresh_tokens.usable_until
      into token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
      join companies on companies.id = sessions.company_id
     where token_hash = presented;
    -- One presented before successors were derived has another whose use is not known.
    if token.rotated_at is not null and token.key_ids = '{}' then
        token.usable_until := token.rotated_at + interval '10 seconds';
    end if;
    outcome := case when token.is_open is not true then 'invalid'
                    when token.usable_until <= now() then 'reused'
                    when token.expires_at <= now() then 'invalid'
                    else 'usable'
               end;
    if outcome = 'reused' then
        perform app.end_family(token.session_id);
    end if;
    return query select outcome, token.session_id, token.company_id, token.user_id, token.role, token.family_id, token.key_ids;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_an_admin()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.hold_members(old.company_id);
    perform from public.memberships
      where company_id = old.company_id and user_id <> old.user_id and role = 'admin' and status = 'active';
    if not found then
        raise check_violation using message = 'a company keeps an admin', constraint = 'memberships_last_admin';
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_chat_files()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if exists (select from chat_message_files where company_id = old.company_id and file_id = old.id)
       or exists (select from scheduled_chat_messages
                   where company_id = old.company_id and author_id = old.uploaded_by and state = 'waiting'
                     and asked -> 'file_ids' ? old.id::text) then
        raise foreign_key_violation using message = 'a message of the team has this file', constraint = 'chat_message_files_file';
    end if;
    return old;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_fence()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update messages
       set fence = new.version
     where company_id = new.company_id and conversation_id = new.id and fence = old.version and status = 'queued'
       and sent_at > now() - interval '1 day';
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_flow_files()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if exists (select from (select distinct on (key) definition
                              from bot_flows
                             where company_id = old.company_id and number > 0 and removed_at is null
                             order by key, number desc) published
                where old.id = any (app.files_of_flow(definition))) then
        raise foreign_key_violation using message = 'a published flow has this file', constraint = 'bot_flows_files';
    end if;
    return old;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_managed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if old.is_manager and not exists (
        select from channel_members where company_id = old.company_id and channel_id = old.channel_id and is_manager) then
        update channel_members set is_manager = true
         where company_id = old.company_id and channel_id = old.channel_id
           and user_id = (select people.user_id
                            from app.channel_people(array[old.channel_id]) people
                            join channel_members eldest
                              on eldest.company_id = old.company_id and eldest.channel_id = old.channel_id and eldest.user_id = people.user_id
                           order by eldest.joined_at, eldest.user_id
                           limit 1);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_mentee_evolution()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into mentee_evolution_revisions (company_id, evolution_id, version, figures, told_by, told_at)
    values (old.company_id, old.id, old.version,
            jsonb_build_object('revenue', old.revenue, 'profit', old.profit, 'team', old.team, 'leads', old.leads, 'sales', old.sales, 'notes', old.notes),
            old.updated_by, old.updated_at);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_published_flows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    -- Whoever owns the database may mend what nobody can draw anew.
    if current_user not like 'app%' then
        return new;
    end if;
    raise insufficient_privilege using message = 'a published flow is not changed: publish another version';
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_quick_reply_files()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if exists (select from quick_replies
                where company_id = old.company_id and file_ids <> '{}' and file_ids @> array[old.id]) then
        raise foreign_key_violation using message = 'a quick reply has this file', constraint = 'quick_replies_files';
    end if;
    return old;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_sealed(kept_ins text[], owner_ids uuid[], names text[], befores bytea[], afters bytea[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    kept integer;
begin
    with anew as (
        select * from unnest(kept_ins, owner_ids, names, befores, afters) anew (kept_in, owner_id, name, before, after)
    ), channels as (
        update channel_credentials set sealed = anew.after from anew
         where anew.kept_in = 'channel_credentials' and channel_account_id = anew.owner_id and sealed = anew.before
        returning 1
    ), companies as (
        update company_secrets set sealed = anew.after from anew
         where anew.kept_in = 'company_secrets' and company_id = anew.owner_id and company_secrets.name = anew.name and sealed = anew.before
        returning 1
    ), mails as (
        update mail_accounts set sealed = anew.after from anew
         where anew.kept_in = 'mail_accounts' and company_id = anew.owner_id and sealed = anew.before
        returning 1
    ), factors as (
        update second_factors set secret = anew.after from anew
         where anew.kept_in = 'second_factors' and user_id = anew.owner_id and secret = anew.before
        returning 1
    )
    select (select count(*) from channels) + (select count(*) from companies) + (select count(*) from mails) + (select count(*) from factors)
      into kept;
    return kept;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_unrouted_webhook(webhook uuid, from_source text, key text, content bytea, reason text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    insert into unrouted_webhooks (id, source, external_key, body, reason) values (webhook, from_source, key, content, reason)
$function$;

CREATE OR REPLACE FUNCTION app.keep_webhook(webhook uuid, received timestamp with time zone, channel_kind text, number text, account text, shown text, content bytea, named text[], told text[] DEFAULT '{}'::text[])
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    channel record;
begin
    if number is not null then
        select id, company_id into channel from app.find_channel(channel_kind, number);
    else
        select id, company_id into channel from app.find_account(channel_kind, account, shown);
    end if;
    if channel.id is null and channel_kind = 'evolution' then
        -- The key is a secret's fingerprint: nobody has given it out, and what comes with it is nobody's.
        return null;
    end if;
    if channel.id is null then
        insert into unrouted_webhooks (id, source, external_key, body, kinds, number, account, shown, holder_id)
        values (webhook, channel_kind, coalesce(number, account, ''), content, told, number, account, shown,
                (select company_id
                   from channel_accounts
                  where kind = channel_kind
                    and case when number is not null then external_key = number or previous_key = number
                             else account_key = account and status = 'disabled' end
                  order by removed_at is not null, created_at
                  limit 1));
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, kinds, received_at)
    values (webhook, channel.company_id, channel.id, channel_kind, content, named, told, received);
    return channel.company_id;
end
$function$;

CREATE OR REPLACE FUNCTION app.keep_window()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if exists (select from channel_accounts
                where id = new.channel_account_id
                  and (kind = 'evolution' or kind = 'botconversa' and not coalesce((settings ->> 'has_window')::boolean, false))) then
        new.window_expires_at := '9999-01-01T00:00:00Z';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.key_of_file(file uuid)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return (select storage_key from files where company_id = app.company_id() and id = file);
end
$function$;

CREATE OR REPLACE FUNCTION app.lapsed_presence(most integer)
 RETURNS TABLE(connection_id text, company_id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    select connection_id, company_id from presence_leases where lease_until < now() order by lease_until limit most
$function$;

CREATE OR REPLACE FUNCTION app.leads(leader text, led text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$ select leader = 'admin' or leader = 'supervisor' and led in ('agent', 'student') $function$;

CREATE OR REPLACE FUNCTION app.learn_instance_id(channel uuid, told text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update channel_accounts
       set instance_id = told
     where company_id = app.company_id() and id = channel and kind = 'evolution' and removed_at is null
       and instance_id is distinct from told;
exception when unique_violation then
    null;
end
$function$;

CREATE OR REPLACE FUNCTION app.leave_conversations()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    left_ids uuid[] := array(select id from conversations where company_id = new.company_id and participant_ids <> '{}' and participant_ids @> array[new.user_id]);
    held_ids uuid[] := left_ids || array(
        select id from conversations where company_id = new.company_id and assignee_id = new.user_id and status = 'active');
begin
    perform from conversations where company_id = new.company_id and id = any (held_ids) order by id for update;
    -- Some may have been added until their membership was held.
    left_ids := left_ids || array(
        select id from conversations where company_id = new.company_id and participant_ids <> '{}' and participant_ids @> array[new.user_id] and id <> all (left_ids));
    update conversations
       set participant_ids = array_remove(participant_ids, new.user_id)
     where company_id = new.company_id and id = any (left_ids) and participant_ids @> array[new.user_id];
    perform set_config('app.left_conversations', array_to_string(left_ids, ','), true);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.leave_department()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    delete from department_members where company_id = new.company_id and department_id = new.id;
    update channel_accounts set department_id = new.moved_to_id, version = version + 1
     where company_id = new.company_id and department_id = new.id;
    update departments set moved_to_id = new.moved_to_id where company_id = new.company_id and moved_to_id = new.id;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.leave_webhooks(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    left_behind bigint;
begin
    with late as (
        select id, received_at
          from inbound_webhooks
         where outcome is null and left_at is null and received_at < now() - interval '1 minute'
         order by received_at
         limit most
           for no key update skip locked
    ), webhook as (
        update inbound_webhooks set left_at = now()
          from late
         where inbound_webhooks.id = late.id and inbound_webhooks.received_at = late.received_at
        returning inbound_webhooks.id, company_id, channel_account_id, inbound_webhooks.received_at
    )
    insert into jobs (id, company_id, kind, queue, lane, payload)
    select gen_random_uuid(), company_id, 'apply_webhook', 'media', 'webhooks:' || channel_account_id, jsonb_build_object('webhook_id', id, 'received_at', received_at)
      from webhook
     order by received_at, id;
    get diagnostics left_behind = row_count;
    return left_behind;
end
$function$;

CREATE OR REPLACE FUNCTION app.left_conversations()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE
AS $function$ select string_to_array(nullif(current_setting('app.left_conversations', true), ''), ',')::uuid[] $function$;

CREATE OR REPLACE FUNCTION app.let_objects_go()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    key text;
begin
    foreach key in array array_remove(array[old.storage_key, old.thumb_key, old.poster_key], null) loop
        -- Of two that go at once the second sees that it is the last.
        perform pg_advisory_xact_lock(hashtextextended('object:' || key, 0));
        insert into object_removals (storage_key, company_id, due_at)
        select key, old.company_id, now() + interval '15 minutes'
         where not exists (select from files where storage_key = key)
        on conflict do nothing;
    end loop;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.limit_chat_pins()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from channels where company_id = new.company_id and id = new.channel_id for no key update;
    if (select count(*) from chat_pins
          join chat_messages on chat_messages.company_id = chat_pins.company_id and chat_messages.id = chat_pins.message_id
         where chat_pins.company_id = new.company_id and chat_pins.channel_id = new.channel_id and deleted_at is null) >= 100
       and not exists (select from chat_pins where company_id = new.company_id and message_id = new.message_id) then
        raise check_violation using message = 'a channel has a hundred pins at most', constraint = 'chat_pins_most';
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.link_leads(company uuid, client uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    with theirs as (
        select leads.id
          from client_identities identity
          join leads on leads.company_id = identity.company_id and leads.phone = identity.value
         where identity.company_id = company and identity.client_id = client and identity.kind = 'phone'
           and leads.client_id is null and leads.deleted_at is null
        union
        select leads.id
          from client_identities identity
          join leads on leads.company_id = identity.company_id and leads.email = identity.value
         where identity.company_id = company and identity.client_id = client and identity.kind = 'email'
           and leads.client_id is null and leads.deleted_at is null
    ), held as (
        select id from leads where company_id = company and id in (select id from theirs) and client_id is null order by id for no key update
    )
    update leads set client_id = client from held where leads.company_id = company and leads.id = held.id;
end
$function$;

CREATE OR REPLACE FUNCTION app.link_leads_of_identity()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.link_leads(new.company_id, new.client_id);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.live_department(company uuid, department uuid)
 RETURNS uuid
 LANGUAGE plpgsql
AS $function$
declare
    place uuid := department;
    found_one public.departments;
begin
    loop
        select * into found_one from public.departments where company_id = company and id = place for key share;
        -- The one in its place may have gone at the same moment.
        if found_one.deleted_at is null or found_one.moved_to_id is null then
            return case when found_one.deleted_at is null then place end;
        end if;
        place := found_one.moved_to_id;
    end loop;
end
$function$;

CREATE OR REPLACE FUNCTION app.lock_keys(keys text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    perform pg_advisory_xact_lock(hashtext(app.company_id()::text), bucket)
       from (select distinct hashtext(key) & 4095 as bucket from unnest(keys) key order by bucket) buckets;
end
$function$;

CREATE OR REPLACE FUNCTION app.look(name text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select app.fold(regexp_replace(normalize(name, nfkc), '\s+', ' ', 'g')) $function$;

CREATE OR REPLACE FUNCTION app.make_channel(channel uuid, of_kind text, called text, key text, about text, announces boolean, people uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into channels (id, kind, name, name_key, topic, is_announcement, created_by_id)
    values (channel, of_kind, called, app.look(key), about, announces, app.user_id());
    insert into channel_members (channel_id, user_id, is_manager, added_by_id)
    select channel, person, person = app.user_id(), app.user_id()
      from (select distinct unnest(people || app.user_id())) of_people (person)
     where app.no_colleagues(array[person]) = '{}';
end
$function$;

CREATE OR REPLACE FUNCTION app.make_day(whole text, key text, day date)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    name text := whole || '_' || to_char(day, 'YYYYMMDD');
    first_moment timestamptz := day::timestamp at time zone 'utc';
    next_moment timestamptz := (day + 1)::timestamp at time zone 'utc';
begin
    if to_regclass('days.' || name) is not null then
        return;
    end if;
    execute format('create table days.%I (like public.%I including defaults including constraints)', name, whole);
    execute format('with moved as (delete from days.%I where %I >= %L and %2$I < %4$L returning *) insert into days.%5$I select * from moved',
                   whole || '_other', key, first_moment, next_moment, name);
    execute format('alter table public.%I attach partition days.%I for values from (%L) to (%L)', whole, name, first_moment, next_moment);
end
$function$;

CREATE OR REPLACE FUNCTION app.make_first_pipeline(company uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    pipeline uuid := gen_random_uuid();
begin
    insert into pipelines (id, company_id, name, is_default) values (pipeline, company, 'Vendas', true);
    insert into stages (id, company_id, pipeline_id, key, name, position, colour, kind, required_fields, rotting_days)
    select gen_random_uuid(), company, pipeline, key, name, position, colour, kind, required, rotting
      from (values (0, 'new', 'Novo', '#4c8dff', 'open', '{}'::text[], 3),
                   (1, 'contacted', 'Contatado', '#22b8cf', 'open', '{}', 7),
                   (2, 'qualified', 'Qualificado', '#9775fa', 'open', '{}', 7),
                   (3, 'proposal', 'Proposta', '#f5a623', 'open', '{}', 7),
                   (4, 'negotiation', 'Negociação', '#fd7e14', 'open', '{}', 14),
                   (5, 'won', 'Ganho', '#2f9e44', 'won', '{}', null),
                   (6, 'lost', 'Perdido', '#e03131', 'lost', '{close_reason}', null))
        as stage (position, key, name, colour, kind, required, rotting);
end
$function$;

CREATE OR REPLACE FUNCTION app.make_general_channel()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into channels (id, company_id, kind, name, name_key, topic, is_general)
    values (gen_random_uuid(), new.id, 'public', 'geral', 'geral', 'Para toda a equipe', true);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.make_password_reset(reset uuid, address text, browser text, caller text, request text)
 RETURNS TABLE(company uuid, email text, name text, locale text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    person uuid;
begin
    select users.id, users.email, users.name, users.locale, memberships.company_id
      into person, email, name, locale, company
      from users
      join memberships on memberships.user_id = users.id and memberships.status = 'active'
     where users.email = lower(address)
     order by memberships.is_primary desc, memberships.created_at, memberships.company_id
     limit 1;
    if found and app.add_password_reset(reset, company, person, null) then
        insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
        values (company, person, 'request_password_reset', person::text, caller, browser, request);
        return next;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.manages_channel(channel uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return (
        select exists (
            select from channels
              left join channel_members member
                on member.company_id = channels.company_id and member.channel_id = channels.id and member.user_id = app.user_id()
             where channels.company_id = app.company_id() and channels.id = channel and channels.kind <> 'direct'
               and (member.is_manager
                    or (channels.kind = 'public' or member.user_id is not null) and app.has_role('supervisor', 'admin')
                    or member.user_id = (select case when bool_or(others.is_manager) then null
                                                     else (array_agg(others.user_id order by others.joined_at, others.user_id))[1] end
                                           from app.channel_people(array[channel]) people
                                           join channel_members others
                                             on others.company_id = channels.company_id and others.channel_id = channel and others.user_id = people.user_id))));
end
$function$;

CREATE OR REPLACE FUNCTION app.matching_conversations(candidates uuid[], names text[], numbers text[], emails text[], stems text[])
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
    company uuid := app.company_id();
begin
    return array(
        select candidate.id
          from unnest(candidates) candidate (id)
         where exists (
               select from messages
                where messages.conversation_id = candidate.id
                  and messages.body <> ''
                  and messages.deleted_at is null
                  and app.stems(messages.company_id, app.searchable(messages.body)) @> stems
               offset 0)
            or exists (
               select from conversations
                 join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
                where conversations.company_id = company
                  and conversations.id = candidate.id
                  and (app.searchable(clients.name) like any (names) or exists (
                       select from client_identities
                        where client_identities.company_id = company
                          and client_identities.client_id = clients.id
                          and (client_identities.value like any (numbers)
                               or client_identities.kind = 'email' and client_identities.value like any (emails))
                       offset 0))
               offset 0));
end
$function$;

CREATE OR REPLACE FUNCTION app.meets(lead public.leads, wanted jsonb)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    select (not wanted ? 'pipeline_id' or lead.pipeline_id = (wanted ->> 'pipeline_id')::uuid)
       and (not wanted ? 'stages' or exists (
               select from public.stages
                where stages.company_id = lead.company_id and stages.id = lead.stage_id and wanted -> 'stages' ? stages.key))
       and (not wanted ? 'temperatures' or wanted -> 'temperatures' ? lead.temperature)
       and (not wanted ? 'origins' or exists (
               select from jsonb_array_elements_text(wanted -> 'origins') origin where app.look(origin) = app.look(lead.origin)))
       and (not wanted ? 'tags' or lead.tags && array(select jsonb_array_elements_text(wanted -> 'tags')))
       and (not wanted ? 'score_min' or lead.score >= (wanted ->> 'score_min')::integer)
       and (not wanted ? 'score_max' or lead.score <= (wanted ->> 'score_max')::integer)
       and (not wanted ? 'no_reply_days'
            or coalesce(lead.replied_at, lead.created_at) < now() - (wanted ->> 'no_reply_days')::integer * interval '1 day')
       and (not wanted ? 'has_email' or (lead.email is not null) = (wanted ->> 'has_email')::boolean)
       and (not wanted ? 'has_phone' or (lead.phone is not null) = (wanted ->> 'has_phone')::boolean)
$function$;

CREATE OR REPLACE FUNCTION app.mentee_signals(wanted uuid[], since timestamp with time zone)
 RETURNS TABLE(mentee_id uuid, is_reached boolean, active_days bigint, asked bigint, answered bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    zone text;
begin
    select time_zone into zone from companies where id = app.company_id();
    if current_setting('role') = 'app_student' or wanted is null then
        wanted := array(select id from mentees
                         where company_id = app.company_id() and (wanted is null or id = any (wanted))
                           and (current_setting('role') <> 'app_student' or client_id = app.client_id()));
    end if;
    return query
    select mentees.id, logins.people <> '{}' or exists (
               select from conversations where conversations.company_id = mentees.company_id and conversations.client_id = mentees.client_id),
           (select count(distinct seen.day)
              from (select (theirs.sent_at at time zone zone)::date as day from unnest(said.times) with ordinality theirs (sent_at, place)
                     where said.are_theirs[theirs.place]
                    union all
                    select (intervals.started_at at time zone zone)::date
                      from presence_intervals intervals
                     where intervals.company_id = mentees.company_id and intervals.user_id = any (logins.people) and intervals.started_at >= since) seen),
           said.asked, said.answered
      from mentees
     cross join lateral (
            select coalesce(array_agg(memberships.user_id), '{}') as people
              from memberships
             where memberships.company_id = mentees.company_id and memberships.client_id = mentees.client_id
               and memberships.role = 'student') logins
     cross join lateral (
            select coalesce(array_agg(told.sent_at order by told.sent_at, told.id), '{}') as times,
                   coalesce(array_agg(told.is_theirs order by told.sent_at, told.id), '{}') as are_theirs,
                   count(*) filter (where told.asks and (told.is_answered or told.sent_at <= now() - interval '48 hours')) as asked,
                   count(*) filter (where told.asks and told.is_answered) as answered
              from (select turns.id, turns.sent_at, turns.is_theirs,
                           not turns.is_theirs and coalesce(turns.before_is_theirs, true) as asks,
                           coalesce(turns.next_of_theirs <= turns.sent_at + interval '48 hours', false) as is_answered
                      from (select messages.id, messages.sent_at, messages.sender_type = 'client' as is_theirs,
                                   lag(messages.sender_type = 'client') over (order by messages.sent_at, messages.id) as before_is_theirs,
                                   min(messages.sent_at) filter (where messages.sender_type = 'client')
                                       over (order by messages.sent_at, messages.id rows between current row and unbounded following) as next_of_theirs
                              from conversations
                              join messages on messages.company_id = conversations.company_id and messages.conversation_id = conversations.id
                             where conversations.company_id = mentees.company_id and conversations.client_id = mentees.client_id
                               and messages.sent_at >= since
                               and (messages.sender_type = 'client' or messages.sender_type = 'agent' and not messages.payload ? 'automatic')) turns) told) said
     where mentees.company_id = app.company_id() and mentees.id = any (wanted);
end
$function$;

CREATE OR REPLACE FUNCTION app.mention_ways(mentions jsonb)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select array(select 'person:' || id from jsonb_array_elements_text(coalesce(mentions -> 'user_ids', '[]')) id
                 union all
                 select 'department:' || id from jsonb_array_elements_text(coalesce(mentions -> 'department_ids', '[]')) id
                 union all
                 select 'channel' where (mentions ->> 'channel')::boolean
                 union all
                 select 'here' where (mentions ->> 'here')::boolean)
$function$;

CREATE OR REPLACE FUNCTION app.mentioned(channel uuid, ways text[])
 RETURNS TABLE(user_id uuid, way text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    with people as materialized (select people.user_id from app.channel_people(array[channel]) people),
    named as (
        select people.user_id, 'person:' || people.user_id as way, 1 as breadth from people where 'person:' || people.user_id = any (ways)
        union all
        select people.user_id, 'department:' || members.department_id, 2
          from people
          join department_members members on members.company_id = app.company_id() and members.user_id = people.user_id
         where 'department:' || members.department_id = any (ways)
        union all
        select people.user_id, 'here', 3
          from people
         where 'here' = any (ways)
           and exists (select from presence_leases
                        where presence_leases.company_id = app.company_id() and presence_leases.user_id = people.user_id
                          and lease_until >= now())
        union all
        select people.user_id, 'channel', 4 from people where 'channel' = any (ways)
    )
    select distinct on (named.user_id) named.user_id, named.way from named order by named.user_id, breadth;
end
$function$;

CREATE OR REPLACE FUNCTION app.merge_clients(merge uuid, stays uuid, goes uuid, why jsonb)
 RETURNS TABLE(winner uuid, loser uuid, kept uuid, closed uuid)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    company uuid := app.company_id();
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'clients are joined by supervisors';
    end if;
    perform app.hold_clients(stays, goes);
    if 2 <> (select count(*) from clients where company_id = company and id in (stays, goes) and merged_into_id is null) then
        return;
    end if;
    return query select * from app.join_clients(merge, stays, goes, why, stays);
end
$function$;

CREATE OR REPLACE FUNCTION app.move_client_files()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if new.merged_into_id is not null then
        update client_files
           set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id;
    else
        update client_files
           set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_crm_record()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if new.merged_into_id is null then
        update crm_records set lead_id = new.id, came_with = null, lead_version = 0
         where company_id = new.company_id and lead_id = old.merged_into_id and came_with = new.id;
    elsif exists (select from crm_records where company_id = new.company_id and lead_id = new.id and crm_id is not null) then
        delete from crm_records where company_id = new.company_id and lead_id = new.merged_into_id and crm_id is null;
        update crm_records set lead_id = new.merged_into_id, came_with = new.id, lead_version = 0
         where company_id = new.company_id and lead_id = new.id
           and not exists (select from crm_records other where other.company_id = new.company_id and other.lead_id = new.merged_into_id);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_leads()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if old.merged_into_id is null then
        update leads set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id;
    else
        update leads set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_mentees()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    kept uuid;
begin
    if new.merged_into_id is not null then
        select id into kept from mentees
         where company_id = new.company_id and client_id = new.merged_into_id and status <> 'ended' for no key update;
        update mentees
           set client_id = new.merged_into_id, moved_from = moved_from || new.id, version = version + 1, updated_at = now(),
               status = case when kept is null then status else 'ended' end,
               status_before = case when kept is null or status = 'ended' then status_before else status end,
               ended_with = case when kept is null or status = 'ended' then ended_with else new.id end,
               merged_into_id = case when kept is null or status = 'ended' then merged_into_id else kept end
         where company_id = new.company_id and client_id = new.id;
    else
        update mentees
           set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1], version = version + 1, updated_at = now(),
               status = case when ended_with = new.id and status = 'ended' then status_before else status end,
               status_before = case when ended_with = new.id then null else status_before end,
               merged_into_id = case when ended_with = new.id then null else merged_into_id end,
               ended_with = nullif(ended_with, new.id)
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_notes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if tg_table_name = 'clients' and old.merged_into_id is null then
        update notes
           set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id and conversation_id is null;
    elsif tg_table_name = 'clients' then
        update notes
           set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and conversation_id is null and new.id = any (moved_from);
    elsif new.client_id <> old.client_id then
        update notes set client_id = new.client_id where company_id = new.company_id and conversation_id = new.id;
    end if;
    if tg_table_name = 'conversations' and old.merged_into_id is null and new.merged_into_id is not null then
        update notes
           set conversation_id = new.merged_into_id, moved_from = moved_from || new.id,
               client_id = (select client_id from conversations kept where kept.company_id = new.company_id and kept.id = new.merged_into_id)
         where company_id = new.company_id and conversation_id = new.id;
    elsif tg_table_name = 'conversations' and old.merged_into_id is not null and new.merged_into_id is null then
        update notes
           set conversation_id = new.id, client_id = new.client_id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_notifications()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if tg_table_name = 'clients' and old.merged_into_id is null then
        update notifications set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id;
    elsif tg_table_name = 'clients' then
        update notifications set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    elsif old.merged_into_id is null then
        -- What its client has written was told of when it came: the other takes over how much it was next.
        perform set_config('app.joining', new.merged_into_id::text, true);
        update notifications set conversation_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and conversation_id = new.id;
    else
        update notifications set conversation_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_preferences()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if new.merged_into_id is not null then
        delete from conversation_preferences past
         where past.company_id = new.company_id and past.conversation_id = new.merged_into_id and past.muted_until <= now();
        delete from conversation_preferences gone
         where gone.company_id = new.company_id and gone.conversation_id = new.id
           and exists (select from conversation_preferences kept
                        where kept.company_id = new.company_id and kept.user_id = gone.user_id and kept.conversation_id = new.merged_into_id);
        update conversation_preferences
           set conversation_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and conversation_id = new.id;
    else
        delete from conversation_preferences meanwhile
         where meanwhile.company_id = new.company_id and meanwhile.conversation_id = new.id
           and exists (select from conversation_preferences back
                        where back.company_id = new.company_id and back.user_id = meanwhile.user_id
                          and back.conversation_id = old.merged_into_id and new.id = any (back.moved_from));
        update conversation_preferences
           set conversation_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_quick_replies()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update quick_replies moved
       set department_id = new.moved_to_id, version = version + 1, updated_at = now()
     where moved.company_id = new.company_id and moved.department_id = new.id
       and not exists (
           select from quick_replies other
            where other.company_id = moved.company_id and other.owner_id is null and other.department_id = new.moved_to_id
              and other.shortcut = moved.shortcut);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_students(from_client uuid, to_client uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    update memberships
       set client_id = to_client
     where company_id = app.company_id() and client_id = from_client
       and (app.user_id() is null or app.has_role('supervisor', 'admin'))
$function$;

CREATE OR REPLACE FUNCTION app.move_tasks()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if tg_table_name = 'clients' and old.merged_into_id is null then
        update tasks
           set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id and conversation_id is null;
    elsif tg_table_name = 'clients' then
        update tasks
           set client_id = new.id, moved_from = array_remove(moved_from, new.id)
         where company_id = new.company_id and client_id = old.merged_into_id and conversation_id is null and new.id = any (moved_from);
    elsif new.client_id <> old.client_id then
        update tasks set client_id = new.client_id where company_id = new.company_id and conversation_id = new.id;
    end if;
    if tg_table_name = 'conversations' and old.merged_into_id is null and new.merged_into_id is not null then
        update tasks
           set conversation_id = new.merged_into_id, moved_from = moved_from || new.id,
               client_id = (select client_id from conversations kept where kept.company_id = new.company_id and kept.id = new.merged_into_id)
         where company_id = new.company_id and conversation_id = new.id;
    elsif tg_table_name = 'conversations' and old.merged_into_id is not null and new.merged_into_id is null then
        update tasks
           set conversation_id = new.id, client_id = new.client_id, moved_from = array_remove(moved_from, new.id)
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_tasks_of_lead()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if new.merged_into_id is not null then
        update tasks
           set lead_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and lead_id = new.id;
    else
        update tasks
           set lead_id = new.id, moved_from = array_remove(moved_from, new.id)
         where company_id = new.company_id and lead_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.move_views()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update views
       set filters = jsonb_set(filters, '{department}', (
               select jsonb_agg(distinct case when department = new.id::text then new.moved_to_id::text else department end)
                 from jsonb_array_elements_text(filters -> 'department') department)),
           version = version + 1, updated_at = now()
     where company_id = new.company_id and kind = 'conversations' and filters -> 'department' ? new.id::text;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.my_channels()
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select channel_id from channel_members where company_id = app.company_id() and user_id = app.user_id();
end
$function$;

CREATE OR REPLACE FUNCTION app.my_mentor(person uuid)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return (select users.name
              from mentees
              join users on users.id = mentees.mentor_id
             where mentees.company_id = app.company_id() and mentees.client_id = app.client_id() and mentees.mentor_id = person
             limit 1);
end
$function$;

CREATE OR REPLACE FUNCTION app.named_people(people uuid[], groups text[])
 RETURNS TABLE(user_id uuid)
 LANGUAGE plpgsql
 STABLE
AS $function$
#variable_conflict use_column
begin
    return query
    select unnest(people)
     union
    select memberships.user_id
      from public.memberships
     where groups <> '{}' and memberships.company_id = app.company_id()
       and ('admins' = any (groups) and memberships.role = 'admin'
            or 'leaders' = any (groups) and memberships.role in ('admin', 'supervisor')
            or exists (select from public.department_members
                        where department_members.company_id = app.company_id() and department_members.user_id = memberships.user_id
                          and 'department:' || department_members.department_id = any (groups)));
end
$function$;

CREATE OR REPLACE FUNCTION app.next_jobs(beside uuid)
 RETURNS TABLE(id uuid, queue text, lane text, dispatches integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    company uuid;
    of_queue text;
    earliest timestamptz;
begin
    select company_id, queue into company, of_queue from jobs where id = beside;
    select run_at into earliest
      from jobs
     where company_id = company and queue = of_queue and finished_at is null and dispatched_at is null
     order by run_at, number
     limit 1;
    if not found or earliest > now() then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('jobs.' || of_queue), hashtext(company::text));
    return query
    with due as (
        select id
          from jobs
         where company_id = company and queue = of_queue and finished_at is null and dispatched_at is null and run_at <= now()
         order by run_at, number
         limit greatest(0, app.room_for_jobs(company, of_queue))
           for update skip locked
    )
    update jobs set dispatched_at = now(), dispatches = jobs.dispatches + 1
      from due
     where jobs.id = due.id
    returning jobs.id, jobs.queue, jobs.lane, jobs.dispatches;
end
$function$;

CREATE OR REPLACE FUNCTION app.no_colleagues(people uuid[])
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return array(select person from unnest(people) person
                  where not exists (select from memberships
                                     where company_id = app.company_id() and user_id = person
                                       and status = 'active' and role <> 'student'));
end
$function$;

CREATE OR REPLACE FUNCTION app.note_article()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.ask_ai('ai_embedding_model', 'embed_knowledge:' || app.company_id());
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_coming()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.note_free_agent(new.company_id, new.user_id);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_device(person uuid, with_device text, from_network text)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
declare
    is_first boolean;
begin
    insert into known_devices (user_id, device, network) values (person, with_device, from_network)
    on conflict (user_id, device, network) do update set last_seen_at = now()
    returning xmax = 0 into is_first;
    return is_first and exists (
        select from known_devices where user_id = person and (device, network) <> (with_device, from_network));
end
$function$;

CREATE OR REPLACE FUNCTION app.note_ended()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.ask_ai('ai_analyses_on_close', 'analyse_conversation:' || new.id);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_first_answer()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if exists (select from first_answers where company_id = new.company_id and conversation_id = new.conversation_id) then
        return null;
    end if;
    insert into first_answers (company_id, conversation_id, user_id, asked_at, answered_at)
    select new.company_id, new.conversation_id, new.sender_id,
           coalesce(max(said.sent_at) filter (
                        where said.sender_type = 'client' and said.sent_at <= conversation.first_pending_at
                          and exists (select from messages bot
                                       where bot.company_id = new.company_id and bot.conversation_id = new.conversation_id
                                         and bot.sender_type = 'bot' and bot.sent_at < conversation.first_pending_at)),
                    min(said.sent_at) filter (where said.sender_type = 'client')),
           new.sent_at
      from conversations conversation
      join messages said on said.company_id = new.company_id and said.conversation_id = new.conversation_id
     where conversation.company_id = new.company_id and conversation.id = new.conversation_id and conversation.imported_at is null
       and said.kind <> 'reaction' and said.sent_at <= new.sent_at
     group by conversation.id
    having bool_or(said.sender_type = 'client')
        on conflict do nothing;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_followup()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into followup_logs (company_id, execution_id, outcome, reason, by_id)
    values (new.company_id, new.id, case when tg_op = 'INSERT' then 'enrolled' else new.status end, new.reason, app.user_id());
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_followup_reply()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    client uuid;
    replied uuid[];
begin
    -- Most companies have none; the order asks the index, and not the table of who has many.
    if (select id from followup_executions where company_id = new.company_id order by started_at, id limit 1) is null then
        return null;
    end if;
    client := (select client_id from conversations where company_id = new.company_id and id = new.conversation_id);
    perform app.link_leads(new.company_id, client);
    -- Held: whoever is being taken in meanwhile is seen as soon as they are.
    replied := array(
        select id from leads where company_id = new.company_id and client_id = client and deleted_at is null order by id for no key update);
    if exists (select from followup_executions where company_id = new.company_id and lead_id = any (replied)) then
        perform app.take_reply(new.company_id, replied, 'whatsapp', new.body, new.sent_at);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_free_agent(company uuid, agent uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    automatic uuid[];
begin
    select array_agg(departments.id) into automatic
      from public.department_members members
      join public.departments on departments.company_id = members.company_id and departments.id = members.department_id
     where members.company_id = company and members.user_id = agent and departments.assignment <> 'manual';
    if automatic is not null then
        perform app.ask_for_assignment(automatic);
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_free_place()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.note_free_agent(old.company_id, old.assignee_id);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_handler()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
    handler uuid;
begin
    if tg_table_name = 'messages' then
        handler := new.sender_id;
    else
        handler := new.to_user_id;
    end if;
    insert into public.conversation_handlers (company_id, conversation_id, user_id)
    values (new.company_id, new.conversation_id, handler)
    on conflict do nothing;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_heard()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    every bigint := (select value::bigint from bot_config
                      where company_id = new.company_id and key = 'ai_insights_every' and is_active and jsonb_typeof(value) = 'number');
begin
    if every > 0 and new.inbound_count / every > coalesce(old.inbound_count, 0) / every then
        perform app.ask_ai('ai_insights_every', 'analyse_conversation:' || new.id);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_lead_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    -- What says itself elsewhere, or follows from the rest.
    silent constant text[] := '{rank, version, updated_at, score, scored_by, scored_at, qualification_score, temperature, entered_at, last_contact_at,
                                replied_at, quick_reply_at, moved_from, furthest_stage_id}';
    was jsonb := to_jsonb(old) - silent;
    changed jsonb;
begin
    select jsonb_object_agg(key, jsonb_build_array(was -> key, value)) into changed
      from jsonb_each(to_jsonb(new) - silent)
     where value is distinct from was -> key;
    if changed is not null then
        insert into lead_changes (company_id, lead_id, by_id, changes) values (new.company_id, new.id, app.user_id(), changed);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_login()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update memberships set last_login_at = new.created_at
     where company_id = new.company_id and user_id = new.user_id and status = 'active';
    if not found then
        raise serialization_failure using message = 'a session is begun where nobody is a member any more';
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_model()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.ask_ai('ai_embedding_model', 'embed_knowledge:' || app.company_id());
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_more_room()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.ask_for_assignment(array[new.id]);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_pending()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if new.ended_at is null and new.mode = 'human' and new.assignee_id is null then
        new.pending_since := coalesce(new.pending_since, now());
        new.first_pending_at := coalesce(new.first_pending_at, new.pending_since);
    else
        new.pending_since := null;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_presence()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if tg_op = 'DELETE' then
        perform app.follow_presence(old.company_id, old.user_id, 'disconnect', (select revoked_at from sessions where id = old.session_id));
    else
        perform app.follow_presence(new.company_id, new.user_id,
                                    case when tg_op = 'INSERT' then 'connect'
                                         when new.status = old.status then 'ping'
                                         when new.status = 'break' then 'break'
                                         else 'set'
                                    end, null);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_reply()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    is_quick boolean;
begin
    -- A lead that was made in the moment in which they became a client.
    perform app.link_leads(new.company_id, new.client_id);
    if not exists (select from leads where company_id = new.company_id and client_id = new.client_id and deleted_at is null and status = 'open') then
        return null;
    end if;
    is_quick := exists (
        select from messages
         where company_id = new.company_id and conversation_id = new.id and sender_type in ('agent', 'bot')
           and sent_at between new.last_message_at - interval '1 hour' and new.last_message_at);
    with replied as (
        select id from leads
         where company_id = new.company_id and client_id = new.client_id and deleted_at is null and status = 'open'
         order by id for no key update
    )
    update leads
       set replied_at = greatest(leads.replied_at, new.last_message_at),
           quick_reply_at = coalesce(leads.quick_reply_at, case when is_quick then new.last_message_at end),
           scored_at = '-infinity'
      from replied
     where leads.company_id = new.company_id and leads.id = replied.id;
    insert into lead_interactions (id, company_id, lead_id, author_id, source, type, summary, result, at, day)
    select gen_random_uuid(), new.company_id, leads.id, null, 'message', 'whatsapp', 'Mensagem recebida via WhatsApp', 'contacted', new.last_message_at,
           (new.last_message_at at time zone companies.time_zone)::date
      from leads
      join companies on companies.id = leads.company_id
     where leads.company_id = new.company_id and leads.client_id = new.client_id and leads.deleted_at is null and leads.status = 'open'
     order by leads.id
        on conflict do nothing;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_run(schedule text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into schedule_runs (name, run_at) values (schedule, now())
    on conflict (name) do update set run_at = now();
end
$function$;

CREATE OR REPLACE FUNCTION app.note_shown()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    asked text[] := coalesce(nullif(current_setting('app.conversations_to_show', true), ''), '{}')::text[];
    wanted text := new.channel_account_id || ':' || new.client_id;
begin
    if wanted <> all (asked)
       and exists (select from channel_accounts
                    where company_id = new.company_id and id = new.channel_account_id and kind = 'botconversa' and status = 'active'
                      and removed_at is null and jsonb_strip_nulls(settings -> 'shows') <> '{}') then
        perform set_config('app.conversations_to_show', (asked || wanted)::text, true);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_stage()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    entry uuid := gen_random_uuid();
begin
    if tg_op = 'UPDATE' then
        update lead_stages set left_at = greatest(new.entered_at, entered_at) where company_id = new.company_id and lead_id = new.id and left_at is null;
    end if;
    insert into lead_stages (id, company_id, lead_id, pipeline_id, stage_id, stage_name, stage_kind, by_id, entered_at)
    select entry, new.company_id, new.id, new.pipeline_id, new.stage_id, name, kind, app.user_id(), new.entered_at
      from stages where company_id = new.company_id and id = new.stage_id;
    if new.deleted_at is not null or 'on' in (current_setting('app.is_import', true), current_setting('app.stages_drawn', true)) then
        return null;
    end if;
    insert into lead_automations (company_id, entry_id, place, lead_id, automation)
    select new.company_id, entry, wanted.place - 1, new.id, wanted.automation
      from stages
     cross join lateral jsonb_array_elements(stages.automations) with ordinality wanted (automation, place)
     where stages.company_id = new.company_id and stages.id = new.stage_id and wanted.place <= 10;
    if found then
        perform set_config('app.stages_entered', concat_ws(',', nullif(current_setting('app.stages_entered', true), ''), new.id || ':' || entry), true);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_use()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    update sessions set last_seen_at = now()
     where id = (select id from sessions
                  where id = app.session_id() and last_seen_at < now() - interval '1 minute'
                    for update skip locked);
end
$function$;

CREATE OR REPLACE FUNCTION app.note_voice()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    message uuid := (select id from messages
                      where company_id = new.company_id and file_id = new.id and sender_type = 'client' and kind = 'audio' and body = ''
                      limit 1);
begin
    if message is not null then
        perform app.ask_ai('ai_transcribes_on_arrival', 'transcribe_message:' || message);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.note_waiting()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if exists (select from departments
                where company_id = new.company_id and id = new.department_id and assignment <> 'manual') then
        perform app.ask_for_assignment(array[new.department_id]);
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notice_of_leads(person uuid, leads bigint, lead uuid, version integer)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select jsonb_build_object('type', 'lead_assigned', 'people', jsonb_build_array(person), 'cause', 'lead:' || lead || ':' || version,
                              'group_key', 'lead:' || lead, 'lead_id', lead, 'source_id', lead)
           || case when leads > 1 then jsonb_build_object('facts', jsonb_build_object('variant', 'many', 'leads', leads)) else '{}' end
$function$;

CREATE OR REPLACE FUNCTION app.notification_facts(of_type text, conversation uuid, channel uuid, client uuid, lead uuid, source uuid, actor uuid, facts jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
    known jsonb := facts;
begin
    if actor is not null then
        known := known || jsonb_build_object('actor', (select name from public.users where id = actor));
    end if;
    if conversation is not null then
        known := known || coalesce((
            select jsonb_build_object('client', clients.name, 'protocol', conversations.protocol, 'preview', left(conversations.last_message_preview, 160))
              from public.conversations
              join public.clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
             where conversations.id = conversation), '{}');
    elsif client is not null then
        known := known || jsonb_build_object('client', (select name from public.clients where id = client));
    end if;
    if lead is not null then
        known := known || jsonb_build_object('lead', (select name from public.leads where id = lead));
    end if;
    if channel is not null then
        known := known || jsonb_build_object('room', coalesce((select name from public.channels where id = channel), known ->> 'actor'));
    end if;
    if source is not null and channel is not null then
        known := known || jsonb_build_object('preview', (select left(body, 160) from public.chat_messages where id = source and deleted_at is null));
    elsif source is not null and of_type = 'mention' then
        known := known || jsonb_build_object('preview', (select left(text, 160) from public.notes where id = source and deleted_at is null));
    elsif source is not null and of_type = 'transfer' then
        known := known || coalesce((
            select jsonb_build_object('reason', transfers.reason, 'department', case when transfers.to_user_id is null then departments.name end)
              from public.conversation_transfers transfers
              left join public.departments on departments.company_id = transfers.company_id and departments.id = transfers.to_department_id
             where transfers.id = source), '{}');
    end if;
    return jsonb_strip_nulls(known);
end
$function$;

CREATE OR REPLACE FUNCTION app.notification_words(of_type text, language text, facts jsonb, count integer, OUT title text, OUT body text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
    own jsonb;
begin
    select coalesce(words -> language, words -> 'pt-BR') into own from public.notification_types where type = of_type;
    title := app.fill_words(coalesce(own ->> ('title_' || (facts ->> 'variant')), case when count > 1 then own ->> 'titles' end, own ->> 'title'),
                            facts || jsonb_build_object('count', count));
    body := app.fill_words(coalesce(own ->> ('body_' || (facts ->> 'variant')), own ->> 'body'), facts);
end
$function$;

CREATE OR REPLACE FUNCTION app.notify(notice jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    perform set_config('app.notices', coalesce(current_setting('app.notices', true), '') || ',' || notice::text, true);
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_channel()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.notify(jsonb_build_object(
        'type', 'integration_broken', 'groups', jsonb_build_array('admins'), 'cause', 'channel:' || new.id,
        'group_key', 'channel:' || new.channel_account_id, 'source_id', new.id,
        'facts', jsonb_build_object('reason', left(new.text, 300), 'channel_account_id', new.channel_account_id,
                                    'account', (select name from public.channel_accounts where id = new.channel_account_id))));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_chat_mention()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    message record;
begin
    for message in
        select added.message_id, added.channel_id, chat_messages.author_id, array_agg(distinct added.user_id) as people
          from added
          join chat_messages on chat_messages.company_id = added.company_id and chat_messages.id = added.message_id
          join channel_members members on members.company_id = added.company_id and members.channel_id = added.channel_id
                                      and members.user_id = added.user_id
         where members.level <> 'nothing'
           and (added.way like 'person:%' or not (members.is_muted and (members.muted_until is null or members.muted_until > now())))
         group by added.message_id, added.channel_id, chat_messages.author_id
    loop
        perform app.notify(jsonb_build_object(
            'type', 'mention', 'people', to_jsonb(message.people), 'cause', 'mention:' || message.message_id,
            'group_key', 'mention:' || message.channel_id, 'channel_id', message.channel_id, 'source_id', message.message_id,
            'actor_id', message.author_id));
    end loop;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_chat_message()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    -- What stands in a direct message itself, and not only in a thread there.
    is_direct boolean := new.place is not null and (select kind = 'direct' from channels where company_id = new.company_id and id = new.channel_id);
    people uuid[];
begin
    if not is_direct and new.root_id is null then
        return null;
    end if;
    select array_agg(members.user_id) into people
      from channel_members members
      left join chat_thread_followers followers on followers.company_id = new.company_id and followers.root_id = new.root_id
                                               and followers.user_id = members.user_id
     where members.company_id = new.company_id and members.channel_id = new.channel_id and members.user_id <> new.author_id
       and members.level = 'all'
       and not (members.is_muted and (members.muted_until is null or members.muted_until > now()))
       and (is_direct or followers.is_following)
       -- Who is mentioned is told of that.
       and not exists (select from chat_mentions
                        where company_id = new.company_id and message_id = new.id and user_id = members.user_id);
    if people is not null then
        perform app.notify(jsonb_build_object(
            'type', 'chat_message', 'people', to_jsonb(people), 'cause', 'chat:' || new.id,
            'group_key', 'chat:' || case when is_direct then new.channel_id else new.root_id end, 'channel_id', new.channel_id, 'source_id', new.id,
            'actor_id', new.author_id));
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_job()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.notify(jsonb_build_object(
        'type', 'export_ready', 'people', jsonb_build_array(new.started_by), 'cause', 'job:' || new.id || ':' || new.state, 'group_key', 'job:' || new.id,
        'tells_actor', true, 'source_id', new.id,
        'facts', jsonb_build_object('variant', case new.state when 'failed' then 'failed' else new.kind end, 'job', new.kind)));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_leads()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if current_setting('app.is_import', true) = 'on' then
        return null;
    elsif tg_op = 'INSERT' then
        perform app.notify(app.notice_of_leads(person, count(*), (array_agg(made.id order by made.id))[1], (array_agg(made.version order by made.id))[1]))
          from made
         cross join lateral (select closer_id as person union select sdr_id) people
         where person is not null and made.status = 'open'
         group by person
         order by person;
    else
        perform app.notify(app.notice_of_leads(person, count(*), (array_agg(made.id order by made.id))[1], (array_agg(made.version order by made.id))[1]))
          from made
          join was on was.id = made.id
         cross join lateral (select made.closer_id as person where made.closer_id is distinct from was.closer_id
                             union select made.sdr_id where made.sdr_id is distinct from was.sdr_id) people
         where person is not null and made.status = 'open' and made.merged_into_id is null and made.deleted_at is null
         group by person
         order by person;
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_mail()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    person uuid := (select id from users where email = new.to_address);
begin
    if person is not null then
        perform app.notify(jsonb_build_object(
            'type', 'security', 'people', jsonb_build_array(person), 'cause', 'mail:' || new.id, 'group_key', 'security:' || new.template,
            'tells_actor', true, 'facts', jsonb_build_object('variant', new.template, 'device', new.data ->> 'device')));
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_message()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    people uuid[];
begin
    if current_setting('app.joining', true) = new.id::text then
        perform set_config('app.joining', '', true);
        return null;
    end if;
    select array_agg(person) into people
      from unnest(new.participant_ids || new.assignee_id) person
     where person is not null
       and not exists (select from conversation_preferences
                        where company_id = new.company_id and user_id = person and conversation_id = new.id
                          and (muted_until is null or muted_until > now()));
    if people is not null then
        perform app.notify(jsonb_build_object(
            'type', 'message', 'people', to_jsonb(people), 'cause', 'message:' || new.id || ':' || new.inbound_count,
            'group_key', 'message:' || new.id, 'conversation_id', new.id, 'count', new.inbound_count - old.inbound_count));
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_note()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
    named uuid[] := new.mention_ids;
    unnamed uuid[];
begin
    if tg_op = 'UPDATE' then
        if new.deleted_at is not null then
            perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(new.id)));
            return null;
        end if;
        named := array(select unnest(named) except select unnest(old.mention_ids));
        unnamed := array(select unnest(old.mention_ids) except select unnest(new.mention_ids));
        if unnamed <> '{}' then
            perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(new.id), 'gone_for', to_jsonb(unnamed)));
        end if;
    end if;
    if named <> '{}' then
        perform app.notify(jsonb_build_object(
            'type', 'mention', 'people', to_jsonb(named), 'cause', 'note:' || new.id, 'group_key', 'note:' || new.id,
            'conversation_id', new.conversation_id, 'client_id', case when new.conversation_id is null then new.client_id end,
            'source_id', new.id));
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_planned()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    -- It leads nowhere: where it was to be said, its author may see nothing any more.
    perform app.notify(jsonb_build_object(
        'type', 'planned_failed', 'people', jsonb_build_array(new.author_id), 'cause', 'planned:' || new.id, 'group_key', 'planned',
        'tells_actor', true, 'source_id', new.id));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_rating()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.notify(jsonb_build_object(
        'type', 'low_satisfaction', 'groups', jsonb_build_array('leaders'), 'cause', 'rating:' || new.id || ':' || new.rating,
        'group_key', 'rating:' || new.id, 'conversation_id', new.id,
        'facts', jsonb_build_object('rating', new.rating, 'handler', (select name from public.users where id = new.assignee_id))));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_return()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.notify(jsonb_build_object(
        'type', 'reminder', 'people', jsonb_build_array(new.assignee_id), 'cause', 'reminder:' || new.id || ':' || new.revision,
        'group_key', 'reminder:' || new.id, 'conversation_id', new.id));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_sale()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.notify(jsonb_build_object(
        'type', 'lead_converted', 'people', jsonb_path_query_array(jsonb_build_array(new.closer_id, new.sdr_id), '$[*] ? (@ != null)'),
        'groups', jsonb_build_array('leaders'), 'cause', 'won:' || new.id || ':' || new.closed_at, 'group_key', 'won:' || new.id,
        'lead_id', new.id, 'source_id', new.id,
        'facts', jsonb_strip_nulls(jsonb_build_object('value', 'R$ ' || replace(to_char(new.value, 'FM999999999990.00'), '.', ',')))));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_task()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
    is_there boolean;
begin
    if tg_op = 'DELETE' then
        perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(old.id), 'source_ids', jsonb_build_array(old.id), 'everybody', true));
        return null;
    elsif new.completed_at is not null or new.due_at is distinct from old.due_at then
        perform app.settle_notifications(jsonb_build_object('source_ids', jsonb_build_array(new.id), 'everybody', true));
        return null;
    end if;
    is_there := exists (select from public.memberships
                         where memberships.company_id = new.company_id and memberships.user_id = new.owner_id and memberships.status = 'active');
    perform app.notify(jsonb_build_object(
        'type', 'task_overdue', 'people', case when is_there then jsonb_build_array(new.owner_id) else '[]' end,
        'groups', case when is_there then '[]'::jsonb else '["leaders"]' end,
        'cause', 'task:' || new.id || ':' || extract(epoch from new.due_at), 'group_key', 'task:' || new.id,
        'client_id', new.client_id, 'source_id', new.id, 'facts', jsonb_build_object('task', new.title)));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.notify_of_transfer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.settle_notifications(jsonb_build_object(
        'conversation_id', new.conversation_id, 'types', jsonb_build_array('assignment', 'transfer', 'message', 'reminder'), 'everybody', true,
        'but', new.to_user_id));
    if new.to_user_id is not null and new.to_user_id is distinct from new.from_user_id then
        perform app.notify(jsonb_build_object(
            'type', case when new.by_user_id is null or new.from_user_id is null and new.reason is null then 'assignment' else 'transfer' end,
            'people', jsonb_build_array(new.to_user_id), 'cause', 'transfer:' || new.id, 'group_key', 'given:' || new.conversation_id,
            'conversation_id', new.conversation_id, 'source_id', new.id));
    -- Somebody has passed it on; where a department goes with all that waits in it (a trigger of that one), its successor finds it in its inbox.
    elsif new.to_user_id is null and new.by_user_id is not null and new.to_department_id is distinct from new.from_department_id
          and pg_trigger_depth() <= 2 then
        perform app.notify(jsonb_build_object(
            'type', 'transfer', 'groups', jsonb_build_array('department:' || new.to_department_id), 'cause', 'transfer:' || new.id,
            'group_key', 'given:' || new.conversation_id, 'conversation_id', new.conversation_id, 'source_id', new.id));
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.number_conversation()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    today date;
    newest integer;
    number integer;
begin
    select (now() at time zone time_zone)::date into today from companies where id = new.company_id;
    select coalesce(max(block), 0) into newest from protocol_blocks where company_id = new.company_id and day = today;
    for place in greatest(newest - 7, 0) .. newest + 1000 loop
        continue when exists (select from protocol_blocks
                               where company_id = new.company_id and day = today and block = place and used = 100)
                   or not pg_try_advisory_xact_lock(hashtext('protocol' || new.company_id || today), place);
        insert into protocol_blocks as blocks (company_id, day, block, used)
        values (new.company_id, today, place, 1)
        on conflict (company_id, day, block) do update set used = blocks.used + 1 where blocks.used < 100
        returning place * 100 + used into number;
        if found then
            new.protocol := to_char(today, 'YYYYMMDD') || '-' || lpad(number::text, greatest(5, length(number::text)), '0');
            return new;
        end if;
    end loop;
    raise serialization_failure using message = 'every block of numbers is held';
end
$function$;

CREATE OR REPLACE FUNCTION app.oldest_due_job()
 RETURNS double precision
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    select extract(epoch from now() - min(run_at))::double precision from jobs where finished_at is null and run_at <= now()
$function$;

CREATE OR REPLACE FUNCTION app.one_interaction()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if exists (select from followup_executions where company_id = new.company_id and lead_id = new.lead_id and finished_at is null)
       or exists (
           select from lead_interactions
             join companies on companies.id = lead_interactions.company_id
            where lead_interactions.company_id = new.company_id and lead_interactions.lead_id = new.lead_id
              and lead_interactions.source = 'followup' and lead_interactions.at > new.at - interval '2 days'
              and (lead_interactions.at at time zone companies.time_zone)::date = new.day) then
        return null;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.open_challenge(hash bytea, company uuid, person uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    insert into login_challenges (token_hash, company_id, user_id) values (hash, company, person);
end
$function$;

CREATE OR REPLACE FUNCTION app.open_direct(new_id uuid, people uuid[], OUT channel uuid, OUT is_new boolean)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    everybody uuid[] := array(select distinct person from unnest(people || app.user_id()) person order by person);
begin
    is_new := false;
    insert into channels (id, kind, members_key, created_by_id)
    values (new_id, 'direct', array_to_string(everybody, ','), app.user_id())
        on conflict (company_id, members_key) do nothing
    returning id into channel;
    if found then
        is_new := true;
        insert into channel_members (channel_id, user_id, added_by_id)
        select channel, person, app.user_id() from unnest(everybody) person;
    else
        select id into channel from channels
         where company_id = app.company_id() and members_key = array_to_string(everybody, ',');
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.open_lead(client uuid)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return (
        select id from leads
         where company_id = app.company_id() and client_id = client and status = 'open' and deleted_at is null
         order by created_at, id
         limit 1);
end
$function$;

CREATE OR REPLACE PROCEDURE app.open_to_lookup(IN target regclass, IN rights text)
 LANGUAGE plpgsql
AS $procedure$
begin
    execute format('alter policy company on %s to app_staff, app_student, app_system', target);
    execute format('create policy lookup on %s to app_lookup using (true)', target);
    execute format('grant %s on %s to app_lookup', rights, target);
end
$procedure$;

CREATE OR REPLACE FUNCTION app.opens_on_a_channel()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone timestamptz;
begin
    select removed_at into gone
      from channel_accounts
     where company_id = new.company_id and id = new.channel_account_id
       for key share;
    if gone is not null then
        raise serialization_failure using message = 'the channel has just been removed';
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.opt_out(company uuid, wanted uuid[], how text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    -- With those that they have become part of.
    wanted := array(
        with recursive become as (
            select unnest(wanted) as id
            union
            select leads.merged_into_id from public.leads join become on become.id = leads.id
             where leads.company_id = company and leads.merged_into_id is not null
        ) select id from become);
    perform from public.leads where company_id = company and id = any (wanted) order by id for no key update;
    insert into public.followup_optouts (company_id, kind, value, source)
    select company, kind, value, how
      from (select 'lead' as kind, id::text as value from public.leads where company_id = company and id = any (wanted)
            union
            select 'phone', phone from public.leads where company_id = company and id = any (wanted) and phone is not null
            union
            select 'email', email from public.leads where company_id = company and id = any (wanted) and email is not null
            union
            select identity.kind, identity.value
              from public.leads
              join public.client_identities identity on identity.company_id = leads.company_id and identity.client_id = leads.client_id
             where leads.company_id = company and leads.id = any (wanted) and identity.kind in ('phone', 'email')) said
     order by kind, value
        on conflict do nothing;
    update public.followup_executions
       set status = 'cancelled', reason = 'unsubscribed', finished_at = now(), next_run_at = null
     where company_id = company and lead_id = any (wanted) and finished_at is null;
    perform app.silence_followups(company, wanted, 'unsubscribed');
    insert into public.client_consents (id, company_id, client_id, purpose, channel, granted, source, at, proof)
    select gen_random_uuid(), company, client_id, 'marketing', 'whatsapp', false, 'opt_out', now(),
           jsonb_build_object('lead_id', min(id::text), 'by', how, 'at', now())
      from public.leads
     where company_id = company and id = any (wanted) and client_id is not null
     group by client_id
     order by client_id
        on conflict do nothing;
end
$function$;

CREATE OR REPLACE FUNCTION app.overdue_tasks(most integer)
 RETURNS TABLE(company_id uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select distinct due.company_id
      from (select tasks.company_id from tasks
             where completed_at is null and told_due_at is distinct from due_at and due_at <= now()
             order by due_at
             limit most) due;
end
$function$;

CREATE OR REPLACE FUNCTION app.own_logins()
 RETURNS TABLE(id uuid, user_agent text, ip text, created_at timestamp with time zone, last_seen_at timestamp with time zone, expires_at timestamp with time zone, is_current boolean, company_names text[])
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select sessions.family_id,
           (array_agg(sessions.user_agent order by sessions.last_seen_at desc))[1],
           (array_agg(sessions.ip order by sessions.last_seen_at desc))[1],
           min(sessions.created_at), max(sessions.last_seen_at), max(sessions.expires_at),
           bool_or(sessions.id = app.session_id()),
           array_agg(distinct companies.name order by companies.name)
      from sessions
      join companies on companies.id = sessions.company_id
     where sessions.user_id = app.user_id()
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and (companies.idle_minutes is null or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes))
     group by sessions.family_id
     order by bool_or(sessions.id = app.session_id()) desc, max(sessions.last_seen_at) desc, sessions.family_id
     limit 100;
end
$function$;

CREATE OR REPLACE FUNCTION app.own_pipelines()
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return array(select id from pipelines
                  where company_id = app.company_id()
                    and (app.sees_all() or department_id is null or department_id = any (app.department_ids())));
end
$function$;

CREATE OR REPLACE FUNCTION app.own_second_factor()
 RETURNS TABLE(secret bytea, is_enabled boolean, is_required boolean)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query
    select second_factors.secret, second_factors.enabled_at is not null,
           exists (select from memberships
                     join companies on companies.id = memberships.company_id
                    where memberships.user_id = app.user_id()
                      and memberships.status = 'active'
                      and memberships.role = any (companies.two_factor_policy))
      from second_factors
     where user_id = app.user_id();
end
$function$;

CREATE OR REPLACE FUNCTION app.own_unread()
 RETURNS TABLE(unread bigint, revision bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query select counted.unread, counted.revision from app.unread_notifications(array[app.user_id()]) counted;
end
$function$;

CREATE OR REPLACE FUNCTION app.part_clients(merge uuid, words jsonb)
 RETURNS uuid[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    done client_merges;
    one uuid;
    two uuid;
    was jsonb;
    had jsonb;
    theirs text[];
    unread uuid[];
    unanswered uuid[];
    pair jsonb;
    kept_id uuid;
    closed_id uuid;
    stray record;
    target uuid;
    touched uuid[];
    now_blocked timestamptz;
    freed uuid[];
    opened uuid[] := '{}';
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'clients are parted by supervisors';
    end if;
    select * into done from client_merges
     where company_id = company and id = merge and undone_at is null and at > now() - interval '30 days'
       and exists (select from clients where company_id = company and id = client_merges.client_id and merged_into_id is null)
       and exists (select from clients where company_id = company and id = client_merges.merged_client_id
                                         and merged_into_id = client_merges.client_id);
    if done.id is null then
        return null;
    end if;
    one := done.client_id;
    two := done.merged_client_id;
    was := done.undo -> 'client';
    had := done.undo -> 'merged_client';
    -- What was held is unread from here on, whoever it goes to.
    select blocked_at into now_blocked from clients where company_id = company and id = one;
    freed := app.unblock_client(one, words);
    select coalesce(array_agg(messages.id) filter (where messages.inbound_number > conversations.read_count), '{}'),
           coalesce(array_agg(messages.id) filter (where messages.inbound_number > conversations.bot_answered), '{}')
      into unread, unanswered
      from conversations
      join messages on messages.company_id = company and messages.conversation_id = conversations.id
     where conversations.company_id = company and conversations.client_id = one
       and messages.inbound_number > least(conversations.read_count, conversations.bot_answered);

    -- The rows themselves. What was changed since stays.
    update clients
       set name = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                       then was ->> 'name' else name end,
           name_source = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                              then was ->> 'name_source' else name_source end,
           name_told_at = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                               then (was ->> 'name_told_at')::timestamptz else name_told_at end,
           document = case when was ->> 'document' is null and document = had ->> 'document' then null else document end,
           email = case when was ->> 'email' is null and email = had ->> 'email' then null else email end,
           blocked_at = case when was ->> 'blocked_at' is null and now_blocked = (had ->> 'blocked_at')::timestamptz then null
                             else now_blocked end,
           blocked_count = greatest(blocked_count - coalesce((had ->> 'blocked_count')::integer, 0), 0),
           tags = array(select tag from unnest(tags) with ordinality given (tag, place)
                         where not (had -> 'tags' ? tag) or was -> 'tags' ? tag order by place),
           custom_fields = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(custom_fields)
                             where was -> 'custom_fields' ? key or value is distinct from had -> 'custom_fields' -> key),
           metadata = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(metadata)
                        where was -> 'metadata' ? key or value is distinct from had -> 'metadata' -> key),
           version = version + 1
     where company_id = company and id = one;
    update clients
       set merged_into_id = null, version = version + 1,
           blocked_at = case when had ->> 'blocked_at' is null and now_blocked = (was ->> 'blocked_at')::timestamptz then null
                             else now_blocked end
     where company_id = company and id = two;
    update clients set merged_into_id = two
     where company_id = company and merged_into_id = one
       and id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'clients'));
    with parted as (
        update client_identities
           set client_id = two
         where company_id = company and client_id = one
           and (kind, value) in (select known ->> 'kind', known ->> 'value' from jsonb_array_elements(done.undo -> 'identities') known)
        returning kind || ':' || value as name
    )
    select coalesce(array_agg(name), '{}') into theirs from parted;
    update memberships set client_id = two
     where company_id = company and client_id = one
       and user_id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'memberships'));
    update client_consents set client_id = two
     where company_id = company and client_id = one
       and id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'consents'));
    with parted as (
        update conversations set client_id = two
         where company_id = company and client_id = one
           and (id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'conversations'))
                -- Begun since, by their identities alone.
                or started_at >= done.at
                   and exists (select from messages where messages.company_id = company and messages.conversation_id = conversations.id
                                                      and messages.came_by = any (theirs))
                   and not exists (select from messages where messages.company_id = company and messages.conversation_id = conversations.id
                                                          and messages.came_by <> all (theirs)))
        returning id
    )
    select coalesce(array_agg(id), '{}') || freed into touched from parted;

    for pair in select value from jsonb_array_elements(done.undo -> 'joined') loop
        kept_id := (pair -> 'kept' ->> 'id')::uuid;
        closed_id := (pair -> 'closed' ->> 'id')::uuid;
        touched := touched || kept_id || closed_id || array(
            select distinct conversation_id from messages
             where company_id = company and id in (select key::uuid from jsonb_object_keys(pair -> 'messages') key));
        update conversations
           set merged_into_id = null, close_reason = 'merge_undone', bot_node = pair -> 'closed' ->> 'bot_node'
         where company_id = company and id = closed_id;
        update conversations
           set tags = array(select tag from unnest(tags) with ordinality given (tag, place)
                             where not (pair -> 'closed' -> 'tags' ? tag) or pair -> 'kept' -> 'tags' ? tag order by place),
               subject = case when pair -> 'kept' ->> 'subject' is null and subject = pair -> 'closed' ->> 'subject' then null
                              else subject end,
               started_at = (pair -> 'kept' ->> 'started_at')::timestamptz
         where company_id = company and id = kept_id;
        update messages set conversation_id = closed_id
         where company_id = company and id in (select key::uuid from jsonb_object_keys(pair -> 'messages') key);
        update files set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(pair -> 'files'));
        update conversation_transfers set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(pair -> 'transfers'));
        update scheduled_messages set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(coalesce(pair -> 'scheduled', '[]')));
        update conversations set merged_into_id = closed_id
         where company_id = company and merged_into_id = kept_id
           and id in (select value::uuid from jsonb_array_elements_text(pair -> 'conversations'));
        insert into conversation_handlers (company_id, conversation_id, user_id)
        select company, closed_id, value::uuid from jsonb_array_elements_text(pair -> 'handlers')
        on conflict do nothing;
        delete from conversation_handlers handler
         where handler.company_id = company and handler.conversation_id = kept_id
           and pair -> 'handlers' ? handler.user_id::text and not (coalesce(pair -> 'kept_handlers', '[]') ? handler.user_id::text)
           and not exists (select from messages where messages.company_id = company and messages.conversation_id = kept_id
                                                  and messages.sender_id = handler.user_id)
           and not exists (select from conversation_transfers transfer
                            where transfer.company_id = company and transfer.conversation_id = kept_id
                              and transfer.to_user_id = handler.user_id);
        if exists (select from conversations where company_id = company and id = kept_id and ended_at is null) then
            opened := opened || closed_id;
        end if;
    end loop;

    -- What came since by an identity of the one in a conversation of the other.
    for stray in
        select messages.id, messages.file_id, messages.conversation_id, conversations.channel_account_id, conversations.department_id,
               conversations.ended_at, case when messages.came_by = any (theirs) then two else one end as owner
          from conversations
          join messages on messages.company_id = company and messages.conversation_id = conversations.id
         where conversations.company_id = company and conversations.client_id in (one, two)
           and messages.sender_type = 'client'
           -- By when its transaction began, which may have waited for the merge.
           and messages.created_at > done.at - interval '1 minute'
           and (conversations.client_id = one and messages.came_by = any (theirs)
                or conversations.client_id = two
                   and messages.came_by in (select kind || ':' || value from client_identities
                                             where company_id = company and client_id = one))
         order by messages.sent_at, messages.id
    loop
        select id into target
          from conversations
         where company_id = company and channel_account_id = stray.channel_account_id and client_id = stray.owner
           and merged_into_id is null and imported_at is null
         order by ended_at desc nulls first
         limit 1;
        if target is null then
            target := gen_random_uuid();
            insert into conversations (id, company_id, client_id, channel_account_id, department_id, mode, ended_at, close_reason)
            values (target, company, stray.owner, stray.channel_account_id, stray.department_id, 'human', now(), 'merge_undone');
        end if;
        update messages set conversation_id = target where company_id = company and id = stray.id;
        update files set conversation_id = target where company_id = company and id = stray.file_id;
        touched := touched || target || stray.conversation_id;
        if stray.ended_at is null then
            opened := opened || target;
        end if;
    end loop;
    foreach target in array opened loop
        update conversations
           set ended_at = null, close_reason = null
         where company_id = company and id = target and ended_at is not null and imported_at is null
           and not exists (select from conversations other
                            where other.company_id = company and other.client_id = conversations.client_id
                              and other.channel_account_id = conversations.channel_account_id and other.ended_at is null);
    end loop;

    with numbered as (
        select id, conversation_id, inbound_number as old_number,
               case when inbound_number is not null then
                   row_number() over (partition by conversation_id, inbound_number is null order by sent_at, id)::integer end as number
          from messages
         where company_id = company and conversation_id = any (touched)
    ), renumbered as (
        update messages set inbound_number = numbered.number
          from numbered
         where messages.company_id = company and messages.id = numbered.id and numbered.number <> numbered.old_number
    ), counted as (
        select concerned.id, count(number)::integer as inbound, min(number) filter (where numbered.id = any (unread)) as first_unread,
               min(number) filter (where numbered.id = any (unanswered)) as first_unanswered
          from (select distinct unnest(touched) as id) concerned
          left join numbered on numbered.conversation_id = concerned.id
         group by concerned.id
    )
    update conversations
       set inbound_count = counted.inbound,
           read_count = coalesce(counted.first_unread - 1, counted.inbound),
           bot_answered = coalesce(counted.first_unanswered - 1, counted.inbound),
           last_message_at = coalesce(newest.sent_at, conversations.last_message_at),
           last_message_id = newest.id,
           last_message_from = coalesce(newest.sender_type, conversations.last_message_from),
           last_message_preview = case when newest.deleted_at is not null then words ->> 'taken_back'
                                       else left(replace(coalesce(nullif(newest.body, ''), words ->> newest.kind, ''), E'\n', ' '), 120) end,
           -- WhatsApp's window is the client's and the number's, whichever conversation it was in.
           window_expires_at = (select max(messages.sent_at) + interval '24 hours'
                                  from conversations other
                                  join messages on messages.company_id = company and messages.conversation_id = other.id
                                 where other.company_id = company and other.client_id = conversations.client_id
                                   and other.channel_account_id = conversations.channel_account_id and messages.sender_type = 'client'),
           version = conversations.version + 1
      from counted
      left join lateral (
          select id, sent_at, sender_type, kind, body, deleted_at from messages
           where company_id = company and conversation_id = counted.id and kind <> 'reaction' and sender_type <> 'system'
           order by sent_at desc, id desc limit 1) newest on true
     where conversations.company_id = company and conversations.id = counted.id;
    update jobs
       set lane = messages.conversation_id::text
      from messages
     where jobs.company_id = company and jobs.queue = 'delivery' and jobs.finished_at is null
       and jobs.lane in (select id::text from unnest(touched) id)
       and messages.company_id = company and messages.id = (jobs.payload ->> 'message_id')::uuid
       and messages.conversation_id::text <> jobs.lane;
    update client_merges set undone_at = now(), undone_by_id = app.user_id() where company_id = company and id = merge;
    return array(select distinct unnest(touched));
end
$function$;

CREATE OR REPLACE FUNCTION app.people_of_channels(new_events jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    wanted uuid[] := array(select distinct substr(event -> 'audience' ->> 0, 9)::uuid
                             from jsonb_array_elements(new_events) event
                            where event -> 'audience' ->> 0 like 'channel:%');
begin
    if wanted = '{}' then
        return null;
    end if;
    return (select jsonb_object_agg(channel_id, people)
              from (select channel_id, jsonb_agg(user_id) as people from app.channel_people(wanted) group by channel_id) of_channels);
end
$function$;

CREATE OR REPLACE FUNCTION app.place_chat_message()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    held channels;
begin
    select * into held from channels where company_id = new.company_id and id = new.channel_id for no key update;
    if not found or not exists (
        select from channel_members
         where company_id = new.company_id and channel_id = new.channel_id and user_id = new.author_id) then
        raise insufficient_privilege using message = 'not a member of the channel';
    end if;
    if exists (select from chat_messages
                where company_id = new.company_id and channel_id = new.channel_id and author_id = new.author_id
                  and client_message_id = new.client_message_id) then
        return null;
    end if;
    if held.archived_at is not null then
        raise check_violation using message = 'the channel is archived', constraint = 'chat_messages_archived';
    end if;
    -- What was planned is judged by who posts it.
    if held.is_announcement and new.is_in_channel and app.user_id() is not null and not app.manages_channel(new.channel_id) then
        raise insufficient_privilege using message = 'only who manages an announcement channel posts there';
    end if;
    -- In the order of places, whatever the clock does.
    new.created_at := greatest(clock_timestamp(), held.last_message_at);
    if new.is_in_channel then
        update channels set last_place = last_place + 1, last_message_at = new.created_at
         where company_id = new.company_id and id = new.channel_id
        returning last_place into new.place;
    end if;
    if new.root_id is not null then
        update chat_messages set reply_count = reply_count + 1, last_reply_at = new.created_at, revision = revision + 1
         where company_id = new.company_id and id = new.root_id and channel_id = new.channel_id and root_id is null
        returning reply_count into new.thread_place;
        if not found then
            raise foreign_key_violation using message = 'not the beginning of a thread', constraint = 'chat_messages_root';
        end if;
    end if;
    if new.file_ids <> '{}' then
        perform from files where company_id = new.company_id and id = any (new.file_ids) order by id for key share;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.place_note()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    further uuid;
begin
    if new.conversation_id is not null then
        loop
            select client_id, merged_into_id into new.client_id, further
              from conversations where company_id = new.company_id and id = new.conversation_id for share;
            exit when further is null;
            new.conversation_id := further;
        end loop;
        return new;
    end if;
    loop
        select merged_into_id into further from clients where company_id = new.company_id and id = new.client_id for share;
        exit when further is null;
        new.client_id := further;
    end loop;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.places_in(stage uuid, ids uuid[], is_on_top boolean)
 RETURNS TABLE(id uuid, place numeric)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    first_rank numeric;
begin
    for attempt in 1..2 loop
        select case when is_on_top then ceil(min(rank)) - cardinality(ids) - 1 else floor(max(rank)) end into first_rank from leads
         where company_id = company and stage_id = stage and deleted_at is null and leads.id <> all (ids);
        first_rank := coalesce(first_rank, 50000000 - cardinality(ids) / 2);
        exit when first_rank >= 10000000 and first_rank + cardinality(ids) < 100000000;
        perform app.spread_stage(stage, ids);
    end loop;
    return query select given.id, first_rank + given.place from unnest(ids) with ordinality given (id, place);
end
$function$;

CREATE OR REPLACE FUNCTION app.present_role()
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
    present text;
begin
    select role into present
      from public.memberships
     where company_id = app.company_id() and user_id = app.user_id() and status = 'active';
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    return present;
end
$function$;

CREATE OR REPLACE FUNCTION app.price_call()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if new.cost is null and new.status between 200 and 299 then
        select (item ->> 'price')::numeric, integration_prices.currency
          into new.cost, new.currency
          from integration_prices
         cross join jsonb_array_elements(prices) item
         where integration_prices.company_id = new.company_id
           and item ->> 'provider' = new.provider and item ->> 'operation' = new.operation;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.price_message()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    select (item ->> 'price')::numeric, item ->> 'currency'
      into new.amount, new.currency
      from integration_prices
      join companies on companies.id = integration_prices.company_id
     cross join jsonb_array_elements(integration_prices.message_prices) item
     where integration_prices.company_id = new.company_id and item ->> 'category' = new.category
       and coalesce(item ->> 'country', new.country, '') = coalesce(new.country, '')
       and (item ->> 'valid_from')::date <= (new.at at time zone companies.time_zone)::date
     order by item ->> 'country' is null, (item ->> 'valid_from')::date desc
     limit 1;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.productivity(people uuid[], edges timestamp with time zone[], buckets integer[])
 RETURNS TABLE(user_id uuid, bucket integer, online_seconds bigint, away_seconds bigint, busy_seconds bigint, break_seconds bigint, active_seconds bigint, first_ins timestamp with time zone[], last_out timestamp with time zone, breaks jsonb, messages bigint, conversations bigint, first_answers bigint, first_answer_seconds bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
 SET work_mem TO '32MB'
AS $function$
#variable_conflict use_column
declare
    company constant uuid := app.company_id();
    attention constant interval := '5 minutes';
    begins constant timestamptz := edges[1];
    ends constant timestamptz := edges[cardinality(edges)];
    present constant timestamptz := date_trunc('second', now());
    asked constant uuid[] := case when app.has_role('supervisor', 'admin') then people
                                  else array(select person from unnest(people) person where person = app.user_id()) end;
begin
    return query
    with stretch as materialized (
        -- None overlaps another, so of those that began before only the last may reach into the time asked for.
        select person, spell.state, spell.reason, spell.started_at, greatest(spell.started_at, begins) as begun,
               least(spell.ended_at, present, ends) as done
          from unnest(asked) person
         cross join lateral (select max(earlier.started_at) as at from presence_intervals earlier
                              where earlier.company_id = company and earlier.user_id = person and earlier.started_at <= begins) before
          join presence_intervals spell on spell.company_id = company and spell.user_id = person
                                       and spell.started_at >= coalesce(before.at, begins) and spell.started_at < least(present, ends)
                                       and spell.ended_at > begins and spell.ended_at > spell.started_at
    ), piece as materialized (
        select person, day, buckets[day] as number, state, reason, started_at, greatest(begun, edges[day]) as begun,
               least(done, edges[day + 1]) as done
          from stretch
         cross join lateral generate_series(width_bucket(begun, edges), width_bucket(done - interval '1 second', edges)) day
    ), of_day as (
        select person, number, sum(done - begun) filter (where state = 'online') as online,
               sum(done - begun) filter (where state = 'away') as away, sum(done - begun) filter (where state = 'busy') as busy,
               sum(done - begun) filter (where state = 'break') as on_break, min(begun) as first_in, max(done) as last_out
          from piece
         group by person, number, day
    ), presence as (
        select person, number, sum(online) as online, sum(away) as away, sum(busy) as busy, sum(on_break) as on_break,
               array_agg(first_in order by first_in) as first_ins, max(last_out) as last_out
          from of_day
         group by person, number
    ), meant as (
        select item ->> 'reason' as reason, (item ->> 'limit_minutes')::integer * interval '1 minute' as length
          from companies, jsonb_array_elements(companies.breaks) item
         where companies.id = company
    ), pause as (
        select person, number, piece.reason, extract(epoch from sum(done - begun))::bigint as seconds,
               extract(epoch from sum(greatest(done - greatest(begun, started_at + meant.length), interval '0')))::bigint as excess,
               count(*) filter (where begun = started_at) as times
          from piece
          left join meant on meant.reason = piece.reason
         where piece.state = 'break'
         group by person, number, piece.reason
    ), pauses as (
        select person, number,
               jsonb_agg(jsonb_build_object('reason', reason, 'seconds', seconds, 'over_seconds', coalesce(excess, 0), 'count', times)
                         order by reason) as list
          from pause
         group by person, number
    ), act as materialized (
        select person, done.*
          from unnest(asked) person
         cross join lateral (
               select at, conversation, message, lag(at) over (order by at) as previous
                 from (select said.sent_at as at, said.conversation_id as conversation, 1 as message
                         from messages said
                        where said.company_id = company and said.sender_id = person and said.sender_type = 'agent' and said.kind <> 'reaction'
                          and not said.payload ? 'automatic' and said.sent_at >= begins - attention and said.sent_at < ends
                       union all
                       select taken.at, taken.conversation_id, 0
                         from conversation_transfers taken
                        where taken.company_id = company and taken.by_user_id = person and taken.to_user_id = person
                          and taken.at >= begins - attention and taken.at < ends) acts) done
    ), work as (
        select person, number, sum(messages)::bigint as messages, count(*) as conversations
          from (select person, buckets[width_bucket(at, edges)] as number, sum(message) as messages
                  from act
                 where at >= begins
                 group by 1, 2, conversation) with_one
         group by person, number
    ), burst as (
        -- Acts of which none is five minutes after the one before: what begins one says when the one before has ended.
        select person, at as begun, coalesce(lead(previous) over (partition by person order by at), last) as done
          from act
          join (select person, max(at) as last from act group by person) ends using (person)
         where previous is null or date_trunc('second', at) - date_trunc('second', previous) >= attention
    ), attentive as (
        select person, range_agg(tstzrange(date_trunc('second', begun), date_trunc('second', done) + attention)) as spans
          from burst
         group by person
    ), working as (
        select person, range_agg(tstzrange(begun, done)) as spans from stretch where state in ('online', 'busy') group by person
    ), active as (
        select person, buckets[day] as number, sum(least(upper(span), edges[day + 1]) - greatest(lower(span), edges[day])) as length
          from (select person, unnest(attentive.spans * working.spans) as span from attentive join working using (person)) spans
         cross join lateral generate_series(width_bucket(lower(span), edges), width_bucket(upper(span) - interval '1 second', edges)) day
         group by 1, 2
    ), answer as (
        select first_answers.user_id as person, buckets[width_bucket(answered_at, edges)] as number, count(*) as answers,
               sum(answered_at - asked_at) as waited
          from first_answers
         where company_id = company and first_answers.user_id = any (asked) and answered_at >= begins and answered_at < ends
         group by 1, 2
    )
    select person, number, coalesce(extract(epoch from online), 0)::bigint, coalesce(extract(epoch from away), 0)::bigint,
           coalesce(extract(epoch from busy), 0)::bigint, coalesce(extract(epoch from on_break), 0)::bigint,
           coalesce(extract(epoch from length), 0)::bigint, coalesce(presence.first_ins, '{}'), presence.last_out, coalesce(list, '[]'),
           coalesce(work.messages, 0), coalesce(work.conversations, 0), coalesce(answers, 0), coalesce(extract(epoch from waited), 0)::bigint
      from presence
      full join work using (person, number)
      full join answer using (person, number)
      left join active using (person, number)
      left join pauses using (person, number);
end
$function$;

CREATE OR REPLACE FUNCTION app.propose_knowledge(proposal uuid, of_kind text, key text, article uuid, article_seen integer, other uuid, other_seen integer, drafted jsonb, speaks jsonb)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company constant uuid := app.company_id();
    -- As short as an index wants it.
    short constant text := of_kind || ':' || encode(sha256(convert_to(key, 'utf8')), 'hex');
    open knowledge_proposals;
    conversations jsonb;
    questions jsonb;
begin
    insert into knowledge_proposals (id, company_id, kind, evidence_key, evidence, article_id, article_version, other_id, other_version, draft)
    values (proposal, company, of_kind, short, speaks, article, article_seen, other, other_seen, drafted)
        on conflict (company_id, evidence_key) do nothing;
    if found then
        return proposal;
    end if;
    select * into open from knowledge_proposals where company_id = company and evidence_key = short for update;
    if open.state <> 'open' or of_kind <> 'learned' then
        return null;
    end if;
    conversations := (
        select jsonb_agg(distinct value)
          from (select value from jsonb_array_elements(open.evidence -> 'conversation_ids')
                union all
                select value from jsonb_array_elements(speaks -> 'conversation_ids')) every);
    questions := (
        select jsonb_agg(value order by place)
          from (select value, min(place) as place
                  from (select value, ordinality as place from jsonb_array_elements(open.draft -> 'questions') with ordinality
                        union all
                        select value, 100 + ordinality from jsonb_array_elements(drafted -> 'questions') with ordinality) every
                 group by value
                 order by place
                 limit 50) kept);
    update knowledge_proposals
       set evidence = evidence || jsonb_build_object('conversation_ids', coalesce(conversations, '[]')),
           draft = draft || jsonb_build_object('questions', coalesce(questions, '[]'))
     where id = open.id;
    return open.id;
end
$function$;

CREATE OR REPLACE PROCEDURE app.protect(IN target regclass, IN staff_rights text DEFAULT 'select'::text)
 LANGUAGE plpgsql
AS $procedure$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy company on %s as restrictive using (company_id = (select app.company_id()))', target);
    execute format('create policy staff on %s to app_staff using (true)', target);
    if staff_rights <> '' then
        execute format('grant %s on %s to app_staff', staff_rights, target);
    end if;
    execute format('create policy system on %s to app_system using (true)', target);
    execute format('grant select, insert, update, delete on %s to app_system', target);
end
$procedure$;

CREATE OR REPLACE FUNCTION app.queue_mail(mail uuid, of_template text, address text, person text, language text, purpose text, link uuid, facts jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin'];
begin
    if current_setting('role') <> 'app_system' and not exists (
        select from mail_rules
          join memberships on memberships.company_id = app.company_id() and memberships.user_id = app.user_id()
         where mail_rules.template = of_template
           and array_position(ranks, mail_rules.sent_by) <= array_position(ranks, memberships.role))
    then
        raise insufficient_privilege using message = format('mail %s is not this caller''s to send: see mail_rules', of_template);
    end if;
    insert into mails (id, template, to_address, to_name, locale, link_purpose, link_id, data)
    values (mail, of_template, address, person, language, purpose, link, facts);
end
$function$;

CREATE OR REPLACE FUNCTION app.quick_reply_files()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE
AS $function$ select array(select unnest(file_ids) from quick_replies where file_ids <> '{}') $function$;

CREATE OR REPLACE FUNCTION app.rank_between(low numeric, high numeric)
 RETURNS numeric
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
declare
    digits integer := 0;
    middle numeric;
begin
    if low is null and high is null then
        return 50000000;
    elsif low is null then
        return ceil(high) - 1;
    elsif high is null then
        return floor(low) + 1;
    end if;
    loop
        middle := trim_scale(round((low + high) * 0.5, digits));
        if middle > low and middle < high then
            return middle;
        end if;
        digits := digits + 1;
    end loop;
end
$function$;

CREATE OR REPLACE FUNCTION app.rank_in(stage uuid, lead uuid, below uuid, above uuid, OUT place numeric, OUT is_spread boolean)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    -- Figures behind the point.
    most constant integer := 40;
    own_rank numeric := (select rank from leads where company_id = company and id = lead and stage_id = stage and deleted_at is null);
    upper_rank numeric;
    lower_rank numeric;
begin
    is_spread := false;
    loop
        select rank into upper_rank from leads
         where company_id = company and stage_id = stage and id = below and id <> lead and deleted_at is null;
        select rank into lower_rank from leads
         where company_id = company and stage_id = stage and id = above and id <> lead and deleted_at is null and upper_rank is null;
        if upper_rank is not null then
            select min(rank) into lower_rank from leads
             where company_id = company and stage_id = stage and rank > upper_rank and id <> lead and deleted_at is null;
        elsif lower_rank is not null then
            select max(rank) into upper_rank from leads
             where company_id = company and stage_id = stage and rank < lower_rank and id <> lead and deleted_at is null;
        elsif below is not null or above is not null then
            return;
        else
            select min(rank) into lower_rank from leads
             where company_id = company and stage_id = stage and id <> lead and deleted_at is null;
        end if;
        -- Where it stands already it stays.
        if own_rank > coalesce(upper_rank, 0) and own_rank < coalesce(lower_rank, 100000000) then
            place := own_rank;
            return;
        end if;
        place := app.rank_between(upper_rank, lower_rank);
        exit when is_spread or scale(place) <= most and place >= 10000000 and place < 100000000;
        perform app.spread_stage(stage, array[lead]);
        is_spread := true;
    end loop;
end
$function$;

CREATE OR REPLACE FUNCTION app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb)
 RETURNS TABLE(tx text, ids bigint[], sent uuid[])
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    -- The role that was lent says it: nobody becomes the system by settings.
    if current_setting('role') <> 'app_system' then
        perform app.judge_record(new_events, new_jobs);
    end if;
    with event as (
        insert into events (topic, type, audience, data)
        select topic, type, audience, data
          from jsonb_to_recordset(new_events) as e (position integer, topic text, type text, audience text[], data jsonb)
         order by position
        returning id
    )
    select pg_current_xact_id()::text, array(select id from event order by id) into tx, ids;
    if jsonb_array_length(new_jobs) > 0 then
        with placed as (
            select job.*, job.run_at is null as is_due,
                   row_number() over (partition by queue, run_at is null order by position) as place
              from rows from (
                   jsonb_to_recordset(new_jobs)
                   as (id uuid, kind text, queue text, lane text, key text, payload jsonb, run_at timestamptz))
                   with ordinality as job (id, kind, queue, lane, key, payload, run_at, position)
        ), room as materialized (
            select queue, app.room_for_jobs(app.company_id(), queue) as room
              from (select distinct queue from placed where is_due) queues
        ), added as (
            insert into jobs (id, kind, queue, lane, key, payload, run_at, dispatched_at, dispatches)
            select id, kind, queue, case when is_due then lane else id::text end, key, payload, coalesce(run_at, now()),
                   case when is_due and place <= room then now() end, case when is_due and place <= room then 1 else 0 end
              from placed
              left join room using (queue)
             order by position
            on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing
            returning jobs.id, jobs.dispatched_at
        )
        select array_agg(added.id) filter (where added.dispatched_at is not null) into sent from added;
    end if;
    sent := coalesce(sent, '{}');
    if jsonb_array_length(new_audit) > 0 then
        insert into audit_log (user_id, action, target, before, after, ip, user_agent, request_id)
        select app.user_id(), action, target, before, after, ip, user_agent, request_id
          from jsonb_to_recordset(new_audit) as a (action text, target text, before jsonb, after jsonb, ip text, user_agent text, request_id text);
    end if;
    if jsonb_array_length(new_accesses) > 0 then
        insert into access_log (user_id, action, target, ip, request_id)
        select app.user_id(), action, target, ip, request_id
          from jsonb_to_recordset(new_accesses) as a (action text, target text, ip text, request_id text);
    end if;
    if app.session_id() is not null then
        perform app.note_use();
    end if;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.record_lead_response(lead uuid, way text, words text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    answered uuid[] := app.take_reply(company, array[lead], way, words, clock_timestamp());
begin
    if answered = '{}' and way = 'whatsapp' then
        insert into lead_interactions (id, company_id, lead_id, author_id, source, type, summary, result, at, day)
        select gen_random_uuid(), company, lead, null, 'message', 'whatsapp', 'Mensagem recebida via WhatsApp', 'contacted', now(),
               (now() at time zone companies.time_zone)::date
          from companies
         where companies.id = company
            on conflict do nothing;
    end if;
    return answered <> '{}';
end
$function$;

CREATE OR REPLACE FUNCTION app.record_transfer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if tg_op = 'INSERT' then
        insert into public.conversation_transfers (id, company_id, conversation_id, to_user_id, from_department_id, to_department_id,
                                                   by_user_id, at)
        values (gen_random_uuid(), new.company_id, new.id, new.assignee_id, new.department_id, new.department_id,
                app.user_id(), clock_timestamp());
    else
        insert into public.conversation_transfers (id, company_id, conversation_id, from_user_id, to_user_id, from_department_id,
                                                   to_department_id, by_user_id, reason, at)
        values (gen_random_uuid(), new.company_id, new.id, old.assignee_id, new.assignee_id, old.department_id, new.department_id,
                app.user_id(), nullif(current_setting('app.transfer_reason', true), ''), clock_timestamp());
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.register(person uuid, address text, person_name text, hash text, company uuid, company_name text, company_slug text, existing_slug text, browser text, caller text, request text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    joined uuid;
    is_founder boolean;
begin
    if existing_slug is not null then
        select id into joined from companies where slug = existing_slug;
        if joined is null and company_name is null then
            return 'unknown_company';
        end if;
    end if;
    insert into users (id, email, name, password_hash) values (person, lower(address), person_name, hash)
    on conflict on constraint users_email_key do nothing;
    if not found then
        return case when joined is null then 'created' else 'waiting' end;
    end if;
    if existing_slug is null then
        insert into companies (id, name, slug) values (company, company_name, company_slug);
        joined := company;
    elsif joined is null then
        -- Waits for another who is founding it.
        insert into companies (id, name, slug) values (company, company_name, existing_slug)
        on conflict on constraint companies_slug_key do nothing;
        select id into joined from companies where slug = existing_slug;
    end if;
    is_founder := joined = company;
    insert into memberships (company_id, user_id, role, status)
    values (joined, person, case when is_founder then 'admin' else 'agent' end, case when is_founder then 'active' else 'pending_approval' end);
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (joined, person, 'register', case when is_founder then company else person end::text, caller, browser, request);
    if not is_founder then
        perform app.announce_member(joined, person);
    end if;
    return case when is_founder then 'created' else 'waiting' end;
end
$function$;

CREATE OR REPLACE FUNCTION app.request_password_reset(reset uuid, address text, browser text, caller text, request text)
 RETURNS TABLE(company_id uuid, feed_cursor text, email text, name text, locale text)
 LANGUAGE plpgsql
AS $function$
begin
    select made.company, made.email, made.name, made.locale into company_id, email, name, locale
      from app.make_password_reset(reset, address, browser, caller, request) made;
    if found then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.reset_password(reset uuid, hash text, browser text, caller text, request text)
 RETURNS TABLE(company_id uuid, feed_cursor text, user_id uuid, email text, name text, locale text, session_ids uuid[], company_ids uuid[])
 LANGUAGE plpgsql
AS $function$
begin
    select used.company, used.person, used.email, used.name, used.locale, used.session_ids, used.company_ids
      into company_id, user_id, email, name, locale, session_ids, company_ids
      from app.use_password_reset(reset, hash, browser, caller, request) used;
    if found then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.retry_job(wanted uuid)
 RETURNS TABLE(id uuid, kind text, queue text, lane text, payload jsonb, state text, attempts integer, retries integer, reason text, created_at timestamp with time zone, failed_at timestamp with time zone, retried_at timestamp with time zone, is_retried boolean, is_sent boolean, dispatches integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    job jobs;
    failure jobs;
begin
    if not app.has_role('admin') then
        return;
    end if;
    select * into job from jobs where jobs.id = wanted and jobs.company_id = app.company_id() for update;
    if not found then
        return;
    end if;
    failure := job;
    if job.failed then
        perform pg_advisory_xact_lock(hashtext('jobs.' || job.queue), hashtext(job.company_id::text));
        update jobs
           set finished_at = null, failed = false, attempts = 0, leased_until = null, run_at = now(),
               retries = jobs.retries + 1, retried_at = now(),
               dispatched_at = case when room.is_there then now() end,
               dispatches = jobs.dispatches + room.is_there::integer
          from (select app.room_for_jobs(job.company_id, job.queue) > 0 as is_there) room
         where jobs.id = wanted
        returning jobs.* into job;
    end if;
    return query
    select job.id, job.kind, job.queue, job.lane, job.payload,
           case when job.finished_at is not null then 'done' when job.leased_until > now() then 'running' else 'waiting' end,
           job.attempts, job.retries, failure.last_error, job.created_at, failure.finished_at, job.retried_at,
           failure.failed, failure.failed and job.dispatched_at is not null, job.dispatches;
end
$function$;

CREATE OR REPLACE FUNCTION app.return_to_active_assignee()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from memberships
      where company_id = new.company_id and user_id = new.assignee_id and status = 'active' and role <> 'student'
        for share skip locked;
    if not found then
        new.assignee_id := null;
    end if;
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.rfc3339(at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$function$;

CREATE OR REPLACE FUNCTION app.room_for_jobs(company uuid, of_queue text)
 RETURNS integer
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
    most constant integer := case when of_queue in ('media', 'preparation') then 3 else 10 end;
begin
    return most - (
        with recursive sent as (
            (select lane, 1 as place
               from jobs
              where company_id = company and queue = of_queue and finished_at is null and dispatched_at is not null
              order by lane
              limit 1)
            union all
            select later.lane, sent.place + 1
              from sent
             cross join lateral (
                select jobs.lane
                  from jobs
                 where company_id = company and queue = of_queue and finished_at is null and dispatched_at is not null
                   and jobs.lane > sent.lane
                 order by jobs.lane
                 limit 1) later
             where sent.place < 20 * most
        )
        select count(*)
          from (select
                  from sent
                 where now() >= (select head.run_at
                                   from jobs head
                                  where head.company_id = company and head.queue = of_queue and head.lane = sent.lane
                                    and head.finished_at is null
                                  order by head.number
                                  limit 1)
                 limit most) busy);
end
$function$;

CREATE OR REPLACE FUNCTION app.rotate_refresh_token(old_hash bytea, new_hash bytea)
 RETURNS TABLE(outcome text, session_id uuid, company_id uuid, user_id uuid, role text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    token record;
begin
    perform app.hold_family(sessions.family_id)
       from refresh_tokens
       join sessions on sessions.id = refresh_tokens.session_id
      where token_hash = old_hash;
    select refresh_tokens.session_id, refresh_tokens.rotated_at, refresh_tokens.expires_at,
           sessions.company_id, sessions.user_id, sessions.revoked_at, sessions.expires_at as session_expires_at,
           memberships.role, memberships.status
      into token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
     where token_hash = old_hash
       for update of refresh_tokens, sessions;
    if not found or token.revoked_at is not null or token.session_expires_at <= now() or token.status <> 'active' then
        return query select 'invalid', token.session_id, token.company_id, token.user_id, token.role;
        return;
    end if;
    if token.rotated_at is not null and token.rotated_at < now() - interval '10 seconds' then
        perform app.end_family(token.session_id);
        return query select 'reused', token.session_id, token.company_id, token.user_id, token.role;
        return;
    end if;
    if token.expires_at <= now() then
        return query select 'invalid', token.session_id, token.company_id, token.user_id, token.role;
        return;
    end if;
    update refresh_tokens set rotated_at = coalesce(rotated_at, now()) where token_hash = old_hash;
    insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
    values (new_hash, token.company_id, token.session_id, least(now() + interval '7 days', token.session_expires_at));
    update sessions set last_seen_at = now() where id = token.session_id;
    return query select case when token.rotated_at is null then 'rotated' else 'raced' end,
                        token.session_id, token.company_id, token.user_id, token.role;
end
$function$;

CREATE OR REPLACE FUNCTION app.route_webhook(wanted uuid, named text[])
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    webhook unrouted_webhooks;
    channel record;
begin
    if not app.has_role('admin') then
        return null;
    end if;
    select * into webhook from unrouted_webhooks where unrouted_webhooks.id = wanted for update;
    if not found then
        return null;
    end if;
    select * into channel from app.channel_of_unrouted(webhook);
    if channel.company_id is distinct from app.company_id() then
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, kinds, received_at, left_at)
    values (webhook.id, channel.company_id, channel.id, webhook.source, webhook.body, named, webhook.kinds, webhook.received_at, now());
    delete from unrouted_webhooks where unrouted_webhooks.id = wanted;
    return channel.id;
end
$function$;

CREATE OR REPLACE FUNCTION app.save_member(person uuid, given jsonb, seen integer)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    is_own boolean := person = app.user_id();
    present text := app.present_role();
    member memberships;
    named users;
    avatar uuid := (given ->> 'avatar_file_id')::uuid;
begin
    select * into member from memberships where company_id = company and user_id = person for no key update;
    if not found or member.status = 'removed' then
        return 'not_found';
    elsif not is_own and not app.leads(present, member.role)
          or given ? 'closer_type' and present not in ('admin', 'supervisor')
          or (given ? 'locale' or given ? 'time_zone') and not is_own then
        return 'forbidden';
    elsif seen is not null and seen <> member.version then
        return 'stale';
    end if;
    select * into named from users where id = person for no key update;
    if given ->> 'name' <> named.name and not is_own and exists (
        select from memberships where user_id = person and company_id <> company and status <> 'removed') then
        return 'name_is_theirs';
    elsif avatar is not null and avatar is distinct from member.avatar_file_id and not exists (
        select from files
         where company_id = company and id = avatar and uploaded_by = app.user_id() and status = 'ready' and mime_type like 'image/%') then
        return 'bad_avatar';
    end if;
    update users
       set name = coalesce(given ->> 'name', name), locale = coalesce(given ->> 'locale', locale),
           time_zone = coalesce(given ->> 'time_zone', time_zone)
     where id = person
       and (name, locale, time_zone)
           is distinct from (coalesce(given ->> 'name', name), coalesce(given ->> 'locale', locale), coalesce(given ->> 'time_zone', time_zone));
    if not found and (member.phone, member.position, member.closer_type, member.avatar_file_id) is not distinct from (
           case when given ? 'phone' then given ->> 'phone' else member.phone end,
           case when given ? 'position' then given ->> 'position' else member.position end,
           case when given ? 'closer_type' then given ->> 'closer_type' else member.closer_type end,
           case when given ? 'avatar_file_id' then avatar else member.avatar_file_id end) then
        return 'unchanged';
    end if;
    update memberships
       set phone = case when given ? 'phone' then given ->> 'phone' else phone end,
           position = case when given ? 'position' then given ->> 'position' else position end,
           closer_type = case when given ? 'closer_type' then given ->> 'closer_type' else closer_type end,
           avatar_file_id = case when given ? 'avatar_file_id' then avatar else avatar_file_id end,
           version = version + 1
     where company_id = company and user_id = person;
    return 'done';
end
$function$;

CREATE OR REPLACE FUNCTION app.sealed_otherwise(key_id text, behind text, most integer)
 RETURNS TABLE(place text, kept_in text, owner_id uuid, name text, sealed bytea)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    with otherwise as (
        select 'channel_credentials' as kept_in, channel_account_id as owner_id, '' as name, sealed
          from channel_credentials where app.sealed_with(sealed) < key_id or app.sealed_with(sealed) > key_id
        union all
        select 'company_secrets', company_id, company_secrets.name, sealed
          from company_secrets where app.sealed_with(sealed) < key_id or app.sealed_with(sealed) > key_id
        union all
        select 'mail_accounts', company_id, '', sealed
          from mail_accounts where sealed is not null and (app.sealed_with(sealed) < key_id or app.sealed_with(sealed) > key_id)
        union all
        select 'second_factors', user_id, '', secret
          from second_factors where app.sealed_with(secret) < key_id or app.sealed_with(secret) > key_id
    )
    select concat_ws(':', otherwise.kept_in, otherwise.owner_id, otherwise.name), otherwise.*
      from otherwise
     where concat_ws(':', otherwise.kept_in, otherwise.owner_id, otherwise.name) > behind
     order by 1
     limit most;
end
$function$;

CREATE OR REPLACE FUNCTION app.sealed_with(sealed bytea)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
    select encode(substr(sealed, 2, get_byte(sealed, 0)), 'escape')
$function$;

CREATE OR REPLACE FUNCTION app.search_conversations(query text, digits text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    select unnest(app.find_conversations(query, case when length(digits) >= 4 then array[digits] end, '{}', 0, 1))
$function$;

CREATE OR REPLACE FUNCTION app.searchable(value text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
begin
    if value ~ '[[:alnum:]][''’‘ʼ´`‐-][[:alnum:]]' then
        return app.spaced(value) || E' \n ' || app.joined(value);
    end if;
    return app.spaced(value);
end
$function$;

CREATE OR REPLACE FUNCTION app.sees_all()
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$ select coalesce(current_setting('app.sees_all', true), '') = 'true' $function$;

CREATE OR REPLACE FUNCTION app.send_to_live_department()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    new.department_id := app.live_department(new.company_id, new.department_id);
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION app.sequences_to_enroll(after_company uuid, after_sequence uuid, most integer)
 RETURNS TABLE(company_id uuid, sequence_id uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select sequences.company_id, sequences.id
      from followup_sequences sequences
     where is_active and deleted_at is null and (sequences.company_id, sequences.id) > (after_company, after_sequence)
     order by sequences.company_id, sequences.id
     limit most;
end
$function$;

CREATE OR REPLACE FUNCTION app.session_access(company uuid, person uuid, claimed_role text, session uuid)
 RETURNS TABLE(sees_all boolean, visibility text, departments uuid[], client uuid, must_have_factor boolean, stepped_up_at timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return query
    select memberships.role in ('admin', 'supervisor') or (memberships.role = 'agent' and companies.agent_visibility = 'company'),
           companies.agent_visibility,
           case when memberships.role = 'agent' then
               array(select department_id from department_members where company_id = company and user_id = person)
           end,
           memberships.client_id,
           memberships.role = any (companies.two_factor_policy),
           sessions.stepped_up_at
      from sessions
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
      join companies on companies.id = sessions.company_id
     where sessions.id = session
       and sessions.company_id = company
       and sessions.user_id = person
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and (companies.idle_minutes is null or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes))
       and memberships.status = 'active'
       and memberships.role = claimed_role;
end
$function$;

CREATE OR REPLACE FUNCTION app.session_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ select nullif(current_setting('app.session_id', true), '')::uuid $function$;

CREATE OR REPLACE FUNCTION app.set_recovery_codes(hashes bytea[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform from sessions where id = app.session_id() and stepped_up_at = now();
    if not found then
        raise insufficient_privilege using message = 'recovery codes are set with a code';
    end if;
    update second_factors set enabled_at = coalesce(enabled_at, now()) where user_id = app.user_id();
    delete from recovery_codes where user_id = app.user_id();
    insert into recovery_codes (user_id, code_hash) select app.user_id(), hash from unnest(hashes) hash;
end
$function$;

CREATE OR REPLACE FUNCTION app.settle_ai(run uuid, ending text, why text, by_model text, input integer, output integer, costs bigint, took integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    settled ai_runs;
begin
    update ai_runs
       set status = ending, reason = why, model = coalesce(by_model, model), input_tokens = input, output_tokens = output, cost = costs,
           took_ms = took, settled_at = now()
     where company_id = app.company_id() and id = run and settled_at is null
    returning * into settled;
    if settled.id is not null then
        -- What nobody has told stays as it was claimed.
        update ai_days
           set tokens = tokens + coalesce(input + output, settled.claimed_tokens) - settled.claimed_tokens,
               cost = cost + case when input is null then settled.claimed_cost else coalesce(costs, 0) end - settled.claimed_cost
         where company_id = app.company_id() and day = settled.day;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.settle_chat()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    seen uuid[];
begin
    if tg_table_name = 'chat_messages' then
        perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(new.id)));
        return null;
    end if;
    if tg_table_name = 'channel_members' then
        select array_agg(notifications.source_id) into seen
          from notifications
          join chat_messages on chat_messages.company_id = new.company_id and chat_messages.id = notifications.source_id
         where notifications.company_id = new.company_id and notifications.user_id = new.user_id and notifications.channel_id = new.channel_id
           and notifications.read_at is null and chat_messages.place <= new.read_place;
    else
        select array_agg(notifications.source_id) into seen
          from notifications
          join chat_messages on chat_messages.company_id = new.company_id and chat_messages.id = notifications.source_id
         where notifications.company_id = new.company_id and notifications.user_id = new.user_id and notifications.channel_id = new.channel_id
           and notifications.read_at is null and chat_messages.root_id = new.root_id and chat_messages.thread_place <= new.read_place;
    end if;
    if seen is not null then
        perform app.settle_notifications(jsonb_build_object('source_ids', to_jsonb(seen)));
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.settle_ended()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform app.settle_notifications(jsonb_build_object(
        'conversation_id', new.id, 'types', jsonb_build_array('assignment', 'transfer', 'message', 'reminder'), 'everybody', true));
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.settle_mentions()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    message record;
begin
    for message in
        select removed.message_id, array_agg(distinct removed.user_id) as people
          from removed
          join chat_messages on chat_messages.company_id = removed.company_id and chat_messages.id = removed.message_id
         where chat_messages.deleted_at is null
         group by removed.message_id
    loop
        perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(message.message_id), 'gone_for', to_jsonb(message.people)));
    end loop;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.settle_notifications(what jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    perform set_config('app.settled', coalesce(current_setting('app.settled', true), '') || ',' || what::text, true);
end
$function$;

CREATE OR REPLACE FUNCTION app.share_object()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    earlier uuid;
    kept text;
begin
    perform pg_advisory_xact_lock(hashtextextended(
        new.company_id || ':content:' || encode(new.sha256, 'hex') || ':' || new.size || ':' || new.purpose, 0));
    loop
        select id into earlier
          from files
         where company_id = new.company_id and sha256 = new.sha256 and size = new.size and purpose = new.purpose and status = 'ready'
           and id <> new.id
         order by completed_at, id
         limit 1;
        exit when not found;
        select storage_key into kept from files where id = earlier and status = 'ready' for key share;
        exit when found;
    end loop;
    if kept is not null and kept <> new.storage_key then
        update files set storage_key = kept where id = new.id;
        insert into object_removals (storage_key, company_id, due_at)
        values (new.storage_key, new.company_id, now())
        on conflict do nothing;
    end if;
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.show_chat_message_anew()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update chat_messages set revision = revision + 1
     where company_id = coalesce(new.company_id, old.company_id) and id = coalesce(new.message_id, old.message_id);
    return null;
end
$function$;

CREATE OR REPLACE FUNCTION app.show_notifications(fresh uuid[])
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    told jsonb;
begin
    with row as materialized (
        select notifications.*, users.locale
          from notifications
          join users on users.id = notifications.user_id
         where notifications.company_id = app.company_id() and notifications.id = any (fresh)
    ), facts as materialized (
        -- The same for all who are told of the same.
        select group_key, source_id, app.notification_facts(type, conversation_id, channel_id, client_id, lead_id, source_id, actor_id, facts) as facts
          from (select distinct on (group_key, source_id) * from row) once
    ), unread as (
        select * from app.unread_notifications(array(select user_id from row where on_screen))
    ), event as (
        insert into events (topic, type, audience, data)
        select 'user:' || row.user_id, 'notification.created', array['self:' || row.user_id],
               jsonb_build_object(
                   'notification', jsonb_build_object(
                       'id', row.id, 'type', row.type, 'title', words.title, 'body', words.body, 'count', row.count,
                       'actor_id', row.actor_id, 'conversation_id', row.conversation_id, 'channel_id', row.channel_id,
                       'client_id', row.client_id, 'lead_id', row.lead_id, 'source_id', row.source_id, 'is_read', false,
                       'at', app.rfc3339(row.at),
                       'created_at', app.rfc3339(row.created_at)),
                   'unread', unread.unread,
                   'revision', unread.revision,
                   'sound', case when row.rung_at = now() then (select sound from notification_types where type = row.type) end)
          from row
          join facts on facts.group_key = row.group_key and facts.source_id is not distinct from row.source_id
          join unread on unread.user_id = row.user_id
         cross join app.notification_words(row.type, row.locale, facts.facts, row.count) words
         where row.on_screen
         order by row.user_id, row.id
        returning id, topic, type, data
    )
    select coalesce(jsonb_agg(to_jsonb(event) order by id), '[]') into told from event;
    return told;
end
$function$;

CREATE OR REPLACE FUNCTION app.show_read(ended jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
    told jsonb;
begin
    with event as (
        insert into public.events (topic, type, audience, data)
        select 'user:' || unread.user_id, 'notification.read', array['self:' || unread.user_id],
               jsonb_build_object('ids', ended -> unread.user_id::text, 'unread', unread.unread, 'revision', unread.revision)
          from app.unread_notifications(array(select jsonb_object_keys(ended)::uuid)) unread
         order by unread.user_id
        returning id, topic, type, data
    )
    select coalesce(jsonb_agg(to_jsonb(event) order by id), '[]') into told from event;
    return told;
end
$function$;

CREATE OR REPLACE FUNCTION app.sign_in(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text, device text, network text)
 RETURNS TABLE(company_id uuid, feed_cursor text, is_new_device boolean, locale text)
 LANGUAGE plpgsql
AS $function$
begin
    select login.is_new_device, login.locale into is_new_device, locale
      from app.start_login(session, company, person, refresh_hash, browser, address, request, device, network) login;
    company_id := company;
    feed_cursor := app.enter_system(company);
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.sign_in_with_code(challenge bytea, step bigint, recovery_hash bytea, session uuid, refresh_hash bytea, browser text, address text, request text, device text, network text)
 RETURNS TABLE(company_id uuid, feed_cursor text, outcome text, seconds integer, is_new_device boolean, locale text)
 LANGUAGE plpgsql
AS $function$
begin
    select login.company, login.outcome, login.seconds, login.is_new_device, login.locale
      into company_id, outcome, seconds, is_new_device, locale
      from app.start_challenged_login(challenge, step, recovery_hash, session, refresh_hash, browser, address, request, device, network) login;
    if found then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.silence_followups(company uuid, wanted uuid[], why text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    update public.messages
       set fence = -1
      from (select queued.id
              from public.followup_executions executions
              join public.followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
              join public.messages queued on queued.company_id = logs.company_id and queued.id = logs.message_id
             where executions.company_id = company and executions.lead_id = any (wanted) and logs.message_id is not null
               and logs.at > now() - interval '7 days' and queued.status = 'queued'
             order by queued.id
               for update of queued) queued
     where messages.company_id = company and messages.id = queued.id and messages.status = 'queued';
    update public.mails
       set state = 'failed', reply = why
      from public.followup_executions executions
      join public.followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
     where executions.company_id = company and executions.lead_id = any (wanted) and logs.mail_id is not null
       and logs.at > now() - interval '7 days' and mails.company_id = company and mails.id = logs.mail_id and mails.state = 'queued';
end
$function$;

CREATE OR REPLACE FUNCTION app.spaced(value text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
begin
    return btrim(regexp_replace(app.fold(normalize(value, nfc)), '[^[:alnum:]]+', ' ', 'g'));
end
$function$;

CREATE OR REPLACE FUNCTION app.spread_stage(stage uuid, but_for uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    lowest numeric;
    highest numeric;
    cards integer;
begin
    perform from leads
     where company_id = company and stage_id = stage and deleted_at is null and id <> all (but_for)
     order by id for no key update;
    select min(rank), max(rank), count(*) into lowest, highest, cards from leads
     where company_id = company and stage_id = stage and deleted_at is null;
    update leads
       set rank = case when highest + 2 * cards < 99000000 then floor(highest) else ceil(lowest) - cards - 1 end + placed.place
      from (select id, row_number() over (order by rank) as place from leads
             where company_id = company and stage_id = stage and deleted_at is null and id <> all (but_for)) placed
     where leads.company_id = company and leads.id = placed.id;
end
$function$;

CREATE OR REPLACE FUNCTION app.start_challenged_login(challenge bytea, step bigint, recovery_hash bytea, session uuid, refresh_hash bytea, browser text, address text, request text, device text, network text)
 RETURNS TABLE(outcome text, seconds integer, company uuid, is_new_device boolean, locale text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    open login_challenges;
begin
    select * into open from login_challenges where token_hash = challenge and expires_at > now() for update;
    if not found then
        return;
    end if;
    company := open.company_id;
    is_new_device := false;
    select code.outcome, code.seconds into outcome, seconds from app.take_code(open.user_id, step, recovery_hash) code;
    if outcome = 'taken' then
        delete from login_challenges where token_hash = challenge;
        select login.is_new_device, login.locale into is_new_device, locale
          from app.start_login(session, company, open.user_id, refresh_hash, browser, address, request, device, network) login;
        update sessions set stepped_up_at = now() where id = session;
    end if;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.start_conversation(new_id uuid, new_client uuid, client uuid, number text, called text, is_named boolean, channel uuid, holder uuid DEFAULT app.user_id())
 RETURNS TABLE(conversation_id uuid, client_id uuid, channel_account_id uuid, is_new boolean, refusal text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    company constant uuid := app.company_id();
    account channel_accounts;
    known clients;
begin
    is_new := false;
    if channel is not null then
        select * into account from channel_accounts where company_id = company and id = channel and kind <> 'widget';
        refusal := case when account.id is null then 'unknown_channel' when account.status = 'disabled' then 'channel_disabled' end;
    else
        select * into account from channel_accounts where company_id = company and kind <> 'widget' and status = 'active' limit 1;
        refusal := case when account.id is null or exists (
            select from channel_accounts other
             where other.company_id = company and other.kind <> 'widget' and other.status = 'active' and other.id <> account.id)
            then 'channel_required' end;
    end if;
    if refusal is not null then
        return next;
        return;
    end if;
    if client is null then
        perform app.lock_keys(array['phone:' || number]);
        select identity.client_id into client
          from client_identities identity where identity.company_id = company and identity.kind = 'phone' and identity.value = number;
    end if;
    if client is null then
        insert into clients (id, company_id, name, name_source)
        values (new_client, company, called, case when is_named then 'staff' else 'number' end);
        insert into client_identities (company_id, client_id, kind, value, address)
        values (company, new_client, 'phone', number, number)
        on conflict do nothing;
        if not found then
            raise serialization_failure using message = 'the phone has just become another client''s';
        end if;
        client := new_client;
    end if;
    select * into known from clients where company_id = company and id = client for no key update;
    if known.merged_into_id is not null and number is not null then
        raise serialization_failure using message = 'the client has just become another one';
    end if;
    if known.id is null or known.merged_into_id is not null then
        refusal := 'unknown_client';
        return next;
        return;
    end if;
    client_id := client;
    channel_account_id := account.id;
    select open.id into conversation_id
      from conversations open
     where open.company_id = company and open.channel_account_id = account.id and open.client_id = known.id and open.ended_at is null
       for update;
    if conversation_id is null then
        refusal := case
            when known.blocked_at is not null then 'client_blocked'
            when not exists (select from client_identities identity
                              where identity.company_id = company and identity.client_id = known.id
                                and identity.kind in ('phone', case account.kind when 'evolution' then 'lid' else 'bsuid' end))
            then 'no_phone'
        end;
        if refusal is null then
            -- WhatsApp's window is the client's and the number's, whichever conversation it was in.
            insert into conversations (id, company_id, client_id, channel_account_id, department_id, assignee_id, mode, last_message_from,
                                       first_human_at, window_expires_at)
            values (new_id, company, known.id, account.id, account.department_id, holder, 'human', 'agent',
                    case when app.user_id() is not null then now() end,
                    (select max(earlier.window_expires_at)
                       from conversations earlier
                      where earlier.company_id = company and earlier.client_id = known.id and earlier.channel_account_id = account.id))
            on conflict (company_id, channel_account_id, client_id) where ended_at is null do nothing;
            if not found then
                raise serialization_failure using message = 'a conversation has just been opened';
            end if;
            conversation_id := new_id;
            is_new := true;
        end if;
    end if;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.start_login(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text, device text, network text)
 RETURNS TABLE(is_new_device boolean, locale text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform app.add_session(session, session, company, person, now() + interval '30 days', refresh_hash, browser, address, request);
    is_new_device := app.note_device(person, device, network);
    select users.locale into locale from users where id = person;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.start_session(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    select app.add_session(session, session, company, person, now() + interval '30 days', refresh_hash, browser, address, request)
$function$;

CREATE OR REPLACE FUNCTION app.stems(company uuid, words text)
 RETURNS text[]
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
begin
    return array(select right(company::text, 12) || lexeme from unnest(to_tsvector('portuguese', words)));
end
$function$;

CREATE OR REPLACE FUNCTION app.subscribe_web_push(new_id uuid, address text, browser_key bytea, secret bytea, our_key text, named text, ends timestamp with time zone)
 RETURNS TABLE(id uuid, device text, created_at timestamp with time zone, refreshed_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    most constant integer := 20;
    hash constant bytea := sha256(convert_to(address, 'UTF8'));
    kept uuid;
begin
    perform from sessions where sessions.id = app.session_id() and revoked_at is null for no key update;
    if not found then
        raise serialization_failure using message = 'a session that has ended subscribes to web push';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('web_push:' || app.company_id() || app.user_id(), 0));
    perform pg_advisory_xact_lock(hashtextextended('web_push:' || encode(hash, 'hex'), 0));
    delete from web_push_subscriptions where endpoint_hash = hash and user_id <> app.user_id();
    insert into web_push_subscriptions (id, endpoint, endpoint_hash, p256dh, auth, server_key, device, expires_at, refreshed_at)
    values (new_id, address, hash, browser_key, secret, our_key, named, ends, clock_timestamp())
    on conflict (company_id, endpoint_hash) do update
       set session_id = excluded.session_id, p256dh = excluded.p256dh, auth = excluded.auth, server_key = excluded.server_key,
           device = excluded.device, expires_at = excluded.expires_at, refreshed_at = excluded.refreshed_at
    returning web_push_subscriptions.id into kept;
    delete from web_push_subscriptions
     where company_id = app.company_id()
       and user_id = app.user_id()
       and id in (select id from web_push_subscriptions
                   where company_id = app.company_id() and user_id = app.user_id()
                   order by refreshed_at desc, id desc
                  offset most);
    return query
    select id, device, created_at, refreshed_at from web_push_subscriptions where id = kept;
end
$function$;

CREATE OR REPLACE FUNCTION app.succeed_refresh_token(presented bytea, successor bytea, derived_with text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    token record;
begin
    select refresh_tokens.company_id, refresh_tokens.session_id, refresh_tokens.succeeds, refresh_tokens.rotated_at is null as is_first,
           least(now() + interval '7 days', sessions.expires_at) as ends
      into strict token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
     where token_hash = presented;
    insert into refresh_tokens (token_hash, company_id, session_id, succeeds, key_id, expires_at)
    values (successor, token.company_id, token.session_id, presented, derived_with, token.ends)
    on conflict (token_hash) do update set expires_at = excluded.expires_at;
    update refresh_tokens set rotated_at = coalesce(rotated_at, now()), expires_at = token.ends where token_hash = presented;
    if token.is_first then
        update refresh_tokens set usable_until = least(usable_until, now() + interval '10 seconds') where token_hash = token.succeeds;
        update refresh_tokens set usable_until = now()
         where token_hash = (select older.succeeds from refresh_tokens as older where older.token_hash = token.succeeds);
    end if;
    update sessions set last_seen_at = now() where id = token.session_id;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_ai_runs(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint;
begin
    update ai_runs set status = 'failed', reason = 'abandoned', settled_at = now()
     where ctid in (select ctid from ai_runs
                     where settled_at is null and created_at < now() - interval '2 minutes'
                     limit most for update skip locked);
    get diagnostics gone = row_count;
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_foundation(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from refresh_tokens where ctid in (select ctid from refresh_tokens where expires_at < now() - interval '1 day' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from sessions where ctid in (
        select ctid from sessions where coalesce(revoked_at, expires_at) < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from jobs where ctid in (
        select ctid from jobs where finished_at < now() - interval '7 days' and not failed limit most);
    get diagnostics step = row_count; gone := gone + step;
    -- A database restored into another cluster counts transactions anew: cursors handed out before mean nothing in it.
    insert into feed_epochs (value, system_identifier)
    select substr(md5(gen_random_uuid()::text), 1, 8), control.system_identifier
      from pg_control_system() control
     where control.system_identifier <> (select system_identifier from feed_epochs order by started_at desc limit 1);
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_imports(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint;
    more bigint;
begin
    delete from client_import_rows where ctid in (
        select client_import_rows.ctid
          from client_imports
          join client_import_rows on client_import_rows.company_id = client_imports.company_id and import_id = client_imports.id
         where finished_at < now() - interval '31 days'
         limit most);
    get diagnostics gone = row_count;
    delete from lead_import_rows where ctid in (
        select lead_import_rows.ctid
          from lead_imports
          join lead_import_rows on lead_import_rows.company_id = lead_imports.company_id and import_id = lead_imports.id
         where finished_at < now() - interval '31 days'
         limit most);
    get diagnostics more = row_count;
    return gone + more;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_logins(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from login_challenges where ctid in (select ctid from login_challenges where expires_at < now() limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from password_resets where ctid in (select ctid from password_resets where expires_at < now() - interval '7 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from known_devices where ctid in (select ctid from known_devices where last_seen_at < now() - interval '1 year' limit most);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_mails(batch integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint;
begin
    delete from mails
     where id in (select id from mails where created_at < now() - interval '180 days' order by created_at limit batch);
    get diagnostics gone = row_count;
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_notifications(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint;
    more bigint;
begin
    delete from notifications where ctid in (
        select ctid from notifications where at < now() - interval '90 days' limit most for update skip locked);
    get diagnostics gone = row_count;
    delete from notification_causes where ctid in (
        select ctid from notification_causes where at < now() - interval '90 days' limit most for update skip locked);
    get diagnostics more = row_count;
    return gone + more;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_preferences(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint;
begin
    delete from conversation_preferences where ctid in (
        select ctid from conversation_preferences where muted_until < now() limit most for update skip locked);
    get diagnostics gone = row_count;
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_repair(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from jobs where ctid in (
        select ctid from jobs where finished_at < now() - interval '90 days' and failed limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from job_progress where ctid in (select ctid from job_progress where finished_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from integration_calls where ctid in (select ctid from integration_calls where at < now() - interval '100 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.sweep_service_desk(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from unrouted_webhooks where ctid in (select ctid from unrouted_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from address_book_names where ctid in (
        select ctid from address_book_names where received_at < now() - interval '30 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_statuses where ctid in (
        select ctid from early_statuses where received_at < now() - interval '7 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_changes where ctid in (
        select ctid from early_changes where received_at < now() - interval '7 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$function$;

CREATE OR REPLACE FUNCTION app.take_code(person uuid, step bigint, recovery_hash bytea)
 RETURNS TABLE(outcome text, seconds integer)
 LANGUAGE plpgsql
AS $function$
declare
    factor second_factors;
begin
    select * into factor from second_factors where user_id = person for update;
    if not found then
        return query select 'wrong', 0;
    elsif factor.paused_until > clock_timestamp() then
        return query select 'paused', ceil(extract(epoch from factor.paused_until - clock_timestamp()))::integer;
    elsif step > factor.last_step then
        update second_factors set last_step = step, failures = 0, paused_until = null where user_id = person;
        return query select 'taken', 0;
    else
        update recovery_codes set used_at = now() where user_id = person and code_hash = recovery_hash and used_at is null;
        if found then
            update second_factors set failures = 0, paused_until = null where user_id = person;
            return query select 'taken', 0;
        else
            -- A quarter of an hour, half an hour, from then on an hour.
            update second_factors
               set failures = factor.failures + 1,
                   paused_until = case when (factor.failures + 1) % 5 = 0 then
                       now() + least(interval '1 hour', interval '15 minutes' * 2 ^ least(4, factor.failures / 5)) end
             where user_id = person;
            return query select 'wrong', 0;
        end if;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.take_due_jobs(most integer)
 RETURNS TABLE(id uuid, queue text, lane text, dispatches integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    waiting record;
begin
    return query
    with lost as (
        select id
          from jobs
         where finished_at is null
           and dispatched_at < now() - interval '1 minute'
           and run_at <= now()
           and (leased_until is null or leased_until < now())
         order by dispatched_at
         limit most
           for update skip locked
    )
    update jobs set dispatched_at = now(), dispatches = jobs.dispatches + 1
      from lost
     where jobs.id = lost.id
    returning jobs.id, jobs.queue, jobs.lane, jobs.dispatches;
    for waiting in
        with recursive first as (
            (select id, company_id, queue
               from jobs
              where finished_at is null and dispatched_at is null
              order by company_id, queue
              limit 1)
            union all
            select later.*
              from first
             cross join lateral (
                select jobs.id, jobs.company_id, jobs.queue
                  from jobs
                 where finished_at is null and dispatched_at is null
                   and (jobs.company_id, jobs.queue) > (first.company_id, first.queue)
                 order by jobs.company_id, jobs.queue
                 limit 1) later
        )
        select id from first
    loop
        return query select * from app.next_jobs(waiting.id);
    end loop;
end
$function$;

CREATE OR REPLACE FUNCTION app.take_out_of_channel(channel uuid, person uuid, OUT outcome text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    held channels;
begin
    select * into held from channels where company_id = app.company_id() and id = channel for no key update;
    outcome := case when not found or held.kind <> 'public' and channel not in (select app.my_channels()) then 'not_found'
                    when held.kind = 'direct' then 'direct'
                    when held.is_general then 'general'
                    when person <> app.user_id() and not app.manages_channel(channel) then 'not_manager'
                    else 'done'
               end;
    if outcome = 'done' then
        delete from channel_members where company_id = app.company_id() and channel_id = channel and user_id = person;
        if not found then
            outcome := 'not_member';
        end if;
    end if;
end
$function$;

CREATE OR REPLACE FUNCTION app.take_own_code(step bigint, recovery_hash bytea)
 RETURNS TABLE(outcome text, seconds integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    select * into outcome, seconds from app.take_code(app.user_id(), step, recovery_hash);
    if outcome = 'taken' then
        update sessions set stepped_up_at = now() where id = app.session_id();
    end if;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.take_reply(company uuid, wanted uuid[], way text, words text, replied timestamp with time zone)
 RETURNS uuid[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    answered uuid[];
    had_any boolean;
begin
    perform from leads where company_id = company and id = any (wanted) order by id for no key update;
    had_any := exists (select from followup_executions where company_id = company and lead_id = any (wanted));
    with ended as (
        update followup_executions
           set status = 'responded', responded_at = replied, finished_at = now(), next_run_at = null
         where company_id = company and lead_id = any (wanted) and finished_at is null
        returning lead_id, id
    )
    select array_agg(distinct lead_id) into answered from ended;
    if had_any then
        perform app.silence_followups(company, wanted, 'responded');
    end if;
    if answered is not null then
        insert into lead_interactions (id, company_id, lead_id, author_id, source, type, summary, result, at)
        select gen_random_uuid(), company, lead, null, 'followup',
               case when way in ('whatsapp', 'email', 'call', 'meeting') then way else 'other' end,
               'Resposta recebida no follow-up automatizado', 'contacted', replied
          from unnest(answered) lead
         order by lead;
        perform app.notify(jsonb_build_object(
                    'type', 'lead_responded',
                    'people', jsonb_build_array(coalesce(leads.closer_id, leads.sdr_id, execution.enrolled_by)),
                    'cause', 'followup:' || execution.id, 'group_key', 'lead_responded:' || leads.id,
                    'lead_id', leads.id, 'source_id', leads.id))
           from leads
          cross join lateral (
                select id, enrolled_by from followup_executions
                 where followup_executions.company_id = leads.company_id and lead_id = leads.id and status = 'responded' and responded_at = replied
                 order by id
                 limit 1) execution
          where leads.company_id = company and leads.id = any (answered)
            and coalesce(leads.closer_id, leads.sdr_id, execution.enrolled_by) is not null
          order by leads.id;
    end if;
    update leads set replied_at = greatest(replied_at, replied), scored_at = '-infinity'
     where company_id = company and id = any (wanted) and (replied_at is null or replied_at < replied);
    if had_any and app.is_opt_out(words) then
        perform app.opt_out(company, wanted, 'word');
    end if;
    return coalesce(answered, '{}');
end
$function$;

CREATE OR REPLACE FUNCTION app.take_vector()
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
    if not exists (select from pg_extension where extname = 'vector') then
        if not exists (select from pg_available_extensions where name = 'vector') then
            return false;
        end if;
        create extension vector with schema public;
    end if;
    return true;
exception when insufficient_privilege or feature_not_supported or undefined_file then
    return false;
end
$function$;

CREATE OR REPLACE FUNCTION app.tell_notified()
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin', 'system'];
    notices jsonb;
    settled jsonb;
    rank integer := 5;
    refused text;
    fresh uuid[];
    lost_people uuid[];
    lost_causes text[];
    told jsonb := '[]';
    pushes jsonb;
    more jsonb;
    wanted record;
begin
    if coalesce(current_setting('app.notices', true), '') = '' and coalesce(current_setting('app.settled', true), '') = '' then
        return null;
    end if;
    notices := ('[' || substr(current_setting('app.notices', true), 2) || ']')::jsonb;
    settled := ('[' || substr(current_setting('app.settled', true), 2) || ']')::jsonb;
    perform set_config('app.notices', '', true), set_config('app.settled', '', true);
    if current_setting('role') <> 'app_system' then
        select array_position(ranks, role) into rank from memberships where company_id = app.company_id() and user_id = app.user_id();
    end if;
    select notice.type into refused
      from jsonb_to_recordset(notices) notice (type text)
      left join notification_types types on types.type = notice.type
     where (array_position(ranks, types.caused_by) <= rank) is not true
     limit 1;
    if refused is not null then
        raise insufficient_privilege using message = format('%s is not this caller''s to cause: see notification_types', refused);
    end if;

    select coalesce(array_agg(causes.user_id), '{}'), coalesce(array_agg(causes.cause), '{}') into lost_people, lost_causes
      from jsonb_to_recordset(settled) what (gone_ids uuid[], gone_for uuid[])
     cross join unnest(gone_ids) gone
      join notification_causes causes on causes.company_id = app.company_id() and causes.source_id = gone
     where gone_for is null or causes.user_id = any (gone_for);
    perform app.hold_unread(array(
        select named.user_id from jsonb_to_recordset(notices) notice (people uuid[], groups text[]) cross join app.named_people(people, groups) named
         union
        select user_id
          from jsonb_to_recordset(settled) what (conversation_id uuid)
          join notifications on notifications.company_id = app.company_id() and notifications.conversation_id = what.conversation_id
         where read_at is null
         union
        select user_id
          from jsonb_to_recordset(settled) what (source_ids uuid[])
         cross join unnest(source_ids) source
          join notifications on notifications.company_id = app.company_id() and notifications.source_id = source
         where read_at is null
         union
        select unnest(lost_people)));

    if jsonb_array_length(settled) > 0 then
        with what as materialized (
            select * from jsonb_to_recordset(settled) what (conversation_id uuid, source_ids uuid[], types text[], everybody boolean, but uuid)
        ), meant as (
            select notifications.id
              from what
              join notifications on notifications.company_id = app.company_id() and notifications.conversation_id = what.conversation_id
             where read_at is null and (what.types is null or type = any (what.types))
               and (what.everybody is true or user_id = app.user_id()) and user_id is distinct from what.but
             union
            select notifications.id
              from what
             cross join unnest(what.source_ids) source
              join notifications on notifications.company_id = app.company_id() and notifications.source_id = source
             where read_at is null and (what.everybody is true or user_id = app.user_id())
        ), held as materialized (
            select company_id, id
              from notifications
             where company_id = app.company_id() and id = any (array(select id from meant)) and read_at is null
             order by user_id, group_key
               for update
        ), seen as (
            update notifications set read_at = now()
              from held
             where notifications.company_id = held.company_id and notifications.id = held.id
            returning notifications.user_id, notifications.id, notifications.on_screen
        )
        select jsonb_object_agg(user_id, ids) into more
          from (select user_id, jsonb_agg(id) as ids from seen where on_screen group by user_id) of_people;
        told := told || app.show_read(coalesce(more, '{}'));
    end if;

    if lost_causes <> '{}' then
        with held as materialized (
            select notifications.id, notifications.user_id, notifications.group_key, notifications.created_at
              from notifications
             where company_id = app.company_id() and read_at is null
               and (user_id, group_key) in (
                   select causes.user_id, causes.group_key
                     from unnest(lost_people, lost_causes) lost (person, cause)
                     join notification_causes causes on causes.company_id = app.company_id() and causes.user_id = lost.person
                                                    and causes.cause = lost.cause)
             order by user_id, group_key
               for update
        ), taken as (
            delete from notification_causes causes
             using held, unnest(lost_people, lost_causes) lost (person, cause)
             where causes.company_id = app.company_id() and causes.user_id = lost.person and causes.cause = lost.cause
               and causes.user_id = held.user_id and causes.group_key = held.group_key and causes.at >= held.created_at
            returning held.id, causes.source_id
        ), fewer as (
            update notifications
               set count = notifications.count - taken.count,
                   read_at = case when notifications.count <= taken.count then now() end,
                   source_id = case when notifications.source_id = any (taken.source_ids) then (
                       select source_id from notification_causes causes
                        where causes.company_id = notifications.company_id and causes.user_id = notifications.user_id
                          and causes.group_key = notifications.group_key and not causes.source_id = any (taken.source_ids)
                        order by causes.at desc limit 1) else notifications.source_id end
              from (select id, count(*)::integer as count, array_agg(source_id) as source_ids from taken group by id) taken
             where notifications.company_id = app.company_id() and notifications.id = taken.id and notifications.count >= taken.count
            returning notifications.id, notifications.user_id, notifications.on_screen, notifications.read_at is null as is_left
        )
        select array_agg(id) filter (where is_left and on_screen),
               (select jsonb_object_agg(user_id, ids)
                  from (select user_id, jsonb_agg(id) as ids from fewer where not is_left and on_screen group by user_id) of_people)
          into fresh, more
          from fewer;
        told := told || app.show_read(coalesce(more, '{}')) || app.show_notifications(coalesce(fresh, '{}'));
        fresh := null;
    end if;

    if jsonb_array_length(notices) = 0 then
        return jsonb_build_object('events', told);
    end if;
    with notice as materialized (
        select place, type, people, groups, cause, group_key, actor_id,
               conversation_id, channel_id, client_id, lead_id, source_id, coalesce(facts, '{}') as facts, coalesce(count, 1) as count, tells_actor
          from rows from (jsonb_to_recordset(notices)
                          as (type text, people uuid[], groups text[], cause text, group_key text, actor_id uuid, conversation_id uuid,
                              channel_id uuid, client_id uuid, lead_id uuid, source_id uuid, facts jsonb, count integer, tells_actor boolean))
               with ordinality as notice (type, people, groups, cause, group_key, actor_id, conversation_id, channel_id, client_id, lead_id,
                                          source_id, facts, count, tells_actor, place)
    ), named as (
        select notice.place, people.user_id from notice cross join app.named_people(notice.people, notice.groups) people
    ), heard as materialized (
        select notice.*, named.user_id, types.sound,
               coalesce((chosen.types -> notice.type ->> 'screen')::boolean, types.on_screen) as on_screen,
               coalesce((chosen.types -> notice.type ->> 'email')::boolean, types.by_mail) as by_mail,
               coalesce((chosen.types -> notice.type ->> 'web_push')::boolean, types.by_push) and not silence.is_quiet as by_push,
               coalesce((chosen.types -> notice.type ->> 'sound')::boolean, types.rings) and not silence.is_quiet as rings
          from named
          join notice using (place)
          join notification_types types on types.type = notice.type
          join memberships on memberships.company_id = app.company_id() and memberships.user_id = named.user_id and memberships.status = 'active'
          join companies on companies.id = memberships.company_id
          join users on users.id = named.user_id
          left join notification_preferences chosen on chosen.company_id = memberships.company_id and chosen.user_id = named.user_id
          left join conversations on conversations.company_id = memberships.company_id and conversations.id = notice.conversation_id
         cross join lateral (select (now() at time zone users.time_zone)::time as now) clock
         cross join lateral (
                select case
                           when chosen.quiet_from is null then false
                           when chosen.quiet_from < chosen.quiet_until then clock.now >= chosen.quiet_from and clock.now < chosen.quiet_until
                           else clock.now >= chosen.quiet_from or clock.now < chosen.quiet_until
                       end
                       or exists (select from presence_leases
                                   where presence_leases.company_id = app.company_id() and presence_leases.user_id = named.user_id
                                     and status = 'break' and lease_until > now()) as is_quiet) silence
         where (notice.tells_actor is true or named.user_id is distinct from coalesce(notice.actor_id, app.user_id()))
           and (notice.conversation_id is null
                or memberships.role <> 'student'
                   and app.would_see(memberships.role, companies.agent_visibility, named.user_id,
                                     array(select department_id from department_members
                                            where company_id = memberships.company_id and user_id = named.user_id),
                                     conversations.department_id, conversations.assignee_id, conversations.participant_ids)
                or memberships.role = 'student' and memberships.client_id = conversations.client_id)
           and (notice.channel_id is null or exists (
                select from channel_members
                 where channel_members.company_id = memberships.company_id and channel_members.channel_id = notice.channel_id
                   and channel_members.user_id = named.user_id))
           and (notice.lead_id is null
                or app.would_see_lead(notice.lead_id, memberships.role, companies.agent_visibility, named.user_id,
                                      array(select department_id from department_members
                                             where company_id = memberships.company_id and user_id = named.user_id)))
    ), new_cause as (
        insert into notification_causes (user_id, cause, group_key, source_id)
        select distinct on (user_id, cause) user_id, cause, group_key, source_id
          from heard
         where on_screen or by_mail or by_push
         order by user_id, cause
            on conflict do nothing
        returning user_id, cause
    ), grouped as (
        -- What is done to many at once sounds once.
        select user_id, group_key, sum(count)::integer as count, max(place) as place,
               bool_or(rings) and row_number() over (partition by user_id, min(sound), bool_or(rings) order by max(place)) = 1 as rings
          from heard
          join new_cause using (user_id, cause)
         group by user_id, group_key
    ), saved as (
        insert into notifications as known
               (user_id, type, group_key, count, actor_id, conversation_id, channel_id, client_id, lead_id, source_id, facts, on_screen, by_mail, by_push,
                rung_at)
        select heard.user_id, heard.type, heard.group_key, grouped.count, coalesce(heard.actor_id, app.user_id()), heard.conversation_id,
               heard.channel_id, heard.client_id, heard.lead_id, heard.source_id, heard.facts, heard.on_screen, heard.by_mail, heard.by_push,
               case when grouped.rings then now() end
          from grouped
          join heard using (user_id, group_key, place)
         order by heard.user_id, heard.group_key
            on conflict (company_id, user_id, group_key) where read_at is null do update
           set type = excluded.type, count = case when known.on_screen or not excluded.on_screen then known.count else 0 end + excluded.count, actor_id = excluded.actor_id,
               source_id = excluded.source_id, facts = excluded.facts, on_screen = excluded.on_screen, by_mail = excluded.by_mail,
               by_push = excluded.by_push,
               -- A burst sounds once in a while, not each time.
               at = now(), rung_at = case when excluded.rung_at > known.rung_at + interval '5 seconds' or known.rung_at is null
                                          then excluded.rung_at else known.rung_at end
        returning id
    )
    select array_agg(id) into fresh from saved;
    if fresh is null then
        return jsonb_build_object('events', told);
    end if;

    told := told || app.show_notifications(fresh);

    -- One digest waits for a person at a time; whoever takes it holds its row first, so that it has what came until then.
    for wanted in
        select notifications.user_id, coalesce(chosen.mails_after, 15) as mails_after
          from notifications
          left join notification_preferences chosen on chosen.company_id = notifications.company_id and chosen.user_id = notifications.user_id
         where notifications.company_id = app.company_id() and notifications.id = any (fresh) and by_mail
         group by notifications.user_id, chosen.mails_after
         order by notifications.user_id
    loop
        loop
            insert into jobs (id, kind, queue, lane, key, payload, run_at)
            select id, 'mail_notifications', 'notification', id::text, wanted.user_id::text, jsonb_build_object('user_id', wanted.user_id),
                   now() + make_interval(mins => wanted.mails_after)
              from gen_random_uuid() id
                on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing;
            exit when found;
            perform from jobs
              where company_id = app.company_id() and kind = 'mail_notifications' and key = wanted.user_id::text and finished_at is null
                for share;
            exit when found;
        end loop;
    end loop;

    -- Each device is told by itself, unless its person is looking.
    with device as (
        select subscriptions.id, notifications.id as notification_id, notifications.count
          from notifications
          join web_push_subscriptions subscriptions on subscriptions.company_id = notifications.company_id
                                                   and subscriptions.user_id = notifications.user_id
         where notifications.company_id = app.company_id() and notifications.id = any (fresh) and notifications.by_push
           and not exists (select from presence_leases
                            where presence_leases.company_id = app.company_id() and presence_leases.user_id = notifications.user_id
                              and status in ('online', 'busy') and lease_until > now())
         order by subscriptions.id
    ), job as (
        insert into jobs (id, kind, queue, lane, payload, dispatched_at, dispatches)
        select gen_random_uuid(), 'push_notification', 'notification', 'push:' || device.id,
               jsonb_build_object('subscription_id', device.id, 'notification_id', device.notification_id, 'count', device.count), now(), 1
          from device
        returning id, queue, lane, dispatches
    )
    select jsonb_agg(to_jsonb(job)) into pushes from job;
    return jsonb_build_object('events', told, 'jobs', pushes);
end
$function$;

CREATE OR REPLACE FUNCTION app.turn_days()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
declare
    gone xid8;
begin
    for ahead in 0 .. 3 loop
        perform app.make_day('events', 'at', (now() at time zone 'utc')::date + ahead),
                app.make_day('inbound_webhooks', 'received_at', (now() at time zone 'utc')::date + ahead);
    end loop;
    gone := app.drop_days('events', 'at', 7);
    update feed_epochs set swept = gone where gone > swept;
    perform app.drop_days('inbound_webhooks', 'received_at', 30);
end
$function$;

CREATE OR REPLACE FUNCTION app.unblock_client(client uuid, words jsonb)
 RETURNS uuid[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company uuid := app.company_id();
    changed uuid[];
begin
    perform from conversations where company_id = company and client_id = client order by id for update;
    update clients set blocked_at = null, version = version + 1 where company_id = company and id = client and blocked_at is not null;
    with held as (
        select conversations.id,
               conversations.ended_at is not null and conversations.merged_into_id is null
               and not exists (
                   select from conversations other
                    where other.company_id = company and other.client_id = client
                      and other.channel_account_id = conversations.channel_account_id and other.id <> conversations.id
                      and (other.ended_at is null
                           or other.held_count > 0 and (other.ended_at, other.id) > (conversations.ended_at, conversations.id)))
                   as is_reopened
          from conversations
         where conversations.company_id = company and conversations.client_id = client and conversations.held_count > 0
    ), updated as (
        update conversations
           set held_count = 0,
               read_count = case when conversations.ended_at is null or held.is_reopened
                                 then greatest(conversations.read_count - conversations.held_count, 0) else conversations.read_count end,
               ended_at = case when not held.is_reopened then conversations.ended_at end,
               close_reason = case when not held.is_reopened then conversations.close_reason end,
               mode = case when held.is_reopened then 'human' else conversations.mode end,
               bot_node = case when not held.is_reopened then conversations.bot_node end,
               version = conversations.version + held.is_reopened::integer,
               last_message_at = greatest(conversations.last_message_at, newest.sent_at),
               last_message_id = case when newest.is_shown then newest.id else conversations.last_message_id end,
               last_message_from = case when newest.is_shown then 'client' else conversations.last_message_from end,
               last_message_preview = case when not newest.is_shown then conversations.last_message_preview
                                           when newest.deleted_at is not null then words ->> 'taken_back'
                                           else left(replace(coalesce(nullif(newest.body, ''), words ->> newest.kind, ''), E'\n', ' '), 120) end
          from held
         cross join lateral (
             select messages.id, sent_at, kind, body, deleted_at, sent_at > last_message_at - interval '1 second' as is_shown
               from messages
               join conversations on conversations.company_id = company and conversations.id = held.id
              where messages.company_id = company and messages.conversation_id = held.id and sender_type = 'client'
              order by sent_at desc, id desc limit 1) newest
         where conversations.id = held.id
        returning conversations.id
    )
    select coalesce(array_agg(id order by id), '{}') into changed from updated;
    return changed;
end
$function$;

CREATE OR REPLACE FUNCTION app.undo_client_import(import uuid, most integer)
 RETURNS TABLE(taken integer, removed integer, restored integer, kept integer)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
declare
    company constant uuid := app.company_id();
    page constant uuid[] := array(select client_id from client_import_rows
                                   where company_id = company and import_id = import and not is_undone
                                   order by client_id limit most);
    item record;
    client clients;
    numbers text[];
    is_whole boolean;
begin
    taken := cardinality(page);
    removed := 0;
    restored := 0;
    kept := 0;
    perform app.lock_keys(array(select kind || ':' || value from client_identities
                                 where company_id = company and client_id = any (page) order by 1));
    perform from clients where company_id = company and id = any (page) order by id for update;
    for item in
        select * from client_import_rows where company_id = company and import_id = import and client_id = any (page) order by client_id
    loop
        select * into client from clients where company_id = company and id = item.client_id and merged_into_id is null;
        if not found then
            kept := kept + 1;
        elsif item.before is null then
            begin
                -- What came by itself counts as well: a number that wrote, another one that was found to be theirs.
                if client.version <> (item.after ->> 'version')::integer
                   or exists (select from client_identities
                               where company_id = company and client_id = client.id
                                 and (created_at > client.created_at or seen_at > created_at)) then
                    raise foreign_key_violation;
                end if;
                delete from client_identities where company_id = company and client_id = client.id;
                -- A note that somebody has changed stays, and its client with it.
                delete from notes
                 where company_id = company and id = (item.after ->> 'note_id')::uuid and client_id = client.id and version = 1;
                delete from clients where company_id = company and id = client.id;
                removed := removed + 1;
            exception when foreign_key_violation then
                kept := kept + 1;
            end;
        else
            -- A number to which answers may go stays.
            numbers := array(select jsonb_array_elements_text(item.before -> 'added'));
            is_whole := cardinality(numbers) = 0 or not exists (
                select from conversations where company_id = company and client_id = client.id and ended_at is null);
            if is_whole then
                delete from client_identities
                 where company_id = company and client_id = client.id and kind = 'phone' and value = any (numbers)
                   and seen_at <= created_at;
                is_whole := not exists (
                    select from client_identities
                     where company_id = company and client_id = client.id and kind = 'phone' and value = any (numbers));
            end if;
            is_whole := is_whole
                and client.name = item.after ->> 'name'
                and client.document is not distinct from item.after ->> 'document'
                and client.email is not distinct from item.after ->> 'email'
                and to_jsonb(client.tags) = item.after -> 'tags'
                and client.custom_fields = item.after -> 'custom_fields';
            if client.email is not distinct from item.after ->> 'email' and item.before ->> 'email' is distinct from item.after ->> 'email' then
                -- Whose address it is by now decides.
                if item.before ->> 'email' is null or not exists (
                    select from client_identities
                     where company_id = company and kind = 'email' and value = lower(item.before ->> 'email') and client_id <> client.id) then
                    -- Theirs by it alone.
                    delete from client_identities
                     where company_id = company and client_id = client.id and kind = 'email' and value = lower(client.email)
                       and created_at >= (select created_at from client_imports where company_id = company and id = import);
                    insert into client_identities (client_id, kind, value, address)
                    select client.id, 'email', lower(item.before ->> 'email'), item.before ->> 'email'
                     where item.before ->> 'email' is not null
                        on conflict do nothing;
                    client.email := item.before ->> 'email';
                else
                    is_whole := false;
                end if;
            end if;
            if client.document is not distinct from item.after ->> 'document'
               and item.before ->> 'document' is distinct from item.after ->> 'document' then
                if item.before ->> 'document' is null or not exists (
                    select from clients other
                     where company_id = company and document = item.before ->> 'document' and merged_into_id is null and id <> client.id) then
                    client.document := item.before ->> 'document';
                else
                    is_whole := false;
                end if;
            end if;
            if client.name = item.after ->> 'name' then
                client.name := item.before ->> 'name';
                client.name_source := item.before ->> 'name_source';
            end if;
            if to_jsonb(client.tags) = item.after -> 'tags' then
                client.tags := array(select jsonb_array_elements_text(item.before -> 'tags'));
            end if;
            if client.custom_fields = item.after -> 'custom_fields' then
                client.custom_fields := item.before -> 'custom_fields';
            end if;
            update clients
               set name = client.name, name_source = client.name_source, document = client.document, email = client.email,
                   tags = client.tags, custom_fields = client.custom_fields, version = version + 1
             where company_id = company and id = client.id;
            if is_whole then restored := restored + 1; else kept := kept + 1; end if;
        end if;
    end loop;
    update client_import_rows set is_undone = true where company_id = company and import_id = import and client_id = any (page);
    update client_imports
       set removed = client_imports.removed + undo_client_import.removed, restored = client_imports.restored + undo_client_import.restored,
           kept = client_imports.kept + undo_client_import.kept
     where company_id = company and id = import;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.unread_notifications(people uuid[])
 RETURNS TABLE(user_id uuid, unread bigint, revision bigint)
 LANGUAGE plpgsql
 STABLE
AS $function$
#variable_conflict use_column
begin
    return query
    select person, count(unread.id), coalesce(max(heads.revision), 0)
      from (select distinct unnest(people) as person) each
      left join public.notification_heads heads on heads.company_id = app.company_id() and heads.user_id = person
      left join app.unread_of(people, 'screen') unread on unread.user_id = person
     group by person;
end
$function$;

CREATE OR REPLACE FUNCTION app.unread_of(people uuid[], wanted text, one uuid DEFAULT NULL::uuid)
 RETURNS TABLE(user_id uuid, id uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select person, unread.id
      from (select distinct unnest(people) as person) each
      join memberships on memberships.company_id = app.company_id() and memberships.user_id = person and memberships.status = 'active'
      join companies on companies.id = memberships.company_id
     cross join lateral (select array(select department_id from department_members
                                       where company_id = memberships.company_id and user_id = person) as departments) own
     cross join lateral (
            select notifications.id
              from notifications
              left join conversations on conversations.company_id = notifications.company_id
                                     and conversations.id = notifications.conversation_id
             where notifications.company_id = memberships.company_id and notifications.user_id = person and notifications.read_at is null
               and case wanted
                       when 'mail' then notifications.by_mail and notifications.mailed_at is null
                       when 'push' then notifications.by_push and notifications.id = one
                       else notifications.on_screen
                   end
               and (notifications.conversation_id is null
                    or memberships.role = 'student' and conversations.client_id = memberships.client_id
                    or memberships.role <> 'student'
                       and app.would_see(memberships.role, companies.agent_visibility, person, departments,
                                         conversations.department_id, conversations.assignee_id, conversations.participant_ids))
               and (notifications.channel_id is null or exists (
                    select from channel_members
                     where channel_members.company_id = notifications.company_id
                       and channel_members.channel_id = notifications.channel_id and channel_members.user_id = person))
               and (notifications.lead_id is null
                    or app.would_see_lead(notifications.lead_id, memberships.role, companies.agent_visibility, person, departments))
             limit 100) unread;
end
$function$;

CREATE OR REPLACE FUNCTION app.unrouted_webhook(wanted uuid)
 RETURNS TABLE(id uuid, channel_account_id uuid, source text, kinds text[], body bytea, received_at timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    if not app.has_role('admin') then
        return;
    end if;
    return query
    select webhook.id, channel.id, webhook.source, webhook.kinds, webhook.body, webhook.received_at
      from unrouted_webhooks webhook
     cross join lateral app.channel_of_unrouted(webhook) channel
     where webhook.id = wanted and channel.company_id = app.company_id();
end
$function$;

CREATE OR REPLACE FUNCTION app.unrouted_webhooks()
 RETURNS TABLE(id uuid, company_id uuid, channel_account_id uuid, source text, kinds text[], size integer, received_at timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    if not app.has_role('admin') then
        return;
    end if;
    return query
    select (webhook.kept).id, channel.company_id, channel.id, (webhook.kept).source, (webhook.kept).kinds, length((webhook.kept).body),
           (webhook.kept).received_at
      from (select distinct own.kind, key
              from channel_accounts own
             cross join unnest(array[own.external_key, own.account_key]) key
             where own.company_id = app.company_id() and own.status <> 'disabled' and key is not null) keys
     cross join lateral (
        select unrouted as kept
          from unrouted_webhooks unrouted
         where unrouted.source = keys.kind and unrouted.external_key = keys.key
         order by unrouted.received_at desc
         limit 10000) webhook
     cross join lateral app.channel_of_unrouted(webhook.kept) channel
     where channel.company_id = app.company_id();
end
$function$;

CREATE OR REPLACE FUNCTION app.use_invite(invite uuid, new_person uuid, person_name text, hash text, proved_hash text)
 RETURNS TABLE(outcome text, company uuid, person uuid)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    open invites;
    known users;
    member_status text;
begin
    select invites.company_id into company from invites where id = invite;
    if not found then
        outcome := 'gone';
        return next;
        return;
    end if;
    perform app.hold_members(company);
    select * into open from invites
     where id = invite and used_at is null and revoked_at is null and expires_at > now()
       for update;
    if not found then
        outcome := 'gone';
        return next;
        return;
    end if;
    if hash is not null then
        insert into users (id, email, name, password_hash, locale, time_zone)
        select new_person, open.email, person_name, hash, companies.locale, companies.time_zone from companies where id = company
        on conflict on constraint users_email_key do nothing;
        person := new_person;
        outcome := case when found then 'done' else 'changed' end;
    else
        select * into known from users where email = open.email;
        person := known.id;
        select status into member_status from memberships where memberships.company_id = company and user_id = person;
        outcome := case when known.password_hash is distinct from proved_hash then 'changed'
                        when member_status = 'active' then 'member'
                        when member_status = 'inactive' then 'gone'
                        else 'done' end;
    end if;
    if outcome = 'done' then
        perform app.hold_logins(company, person);
        perform app.add_member(company, person, open.role, open.department_ids);
        perform app.end_sessions_in(company, person);
        update invites set used_at = now(), user_id = person where id = invite;
    end if;
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.use_of_file(file uuid)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    sent bigint;
    taken_back bigint;
begin
    select count(*), count(deleted_at) into sent, taken_back
      from messages
     where messages.company_id = app.company_id() and messages.file_id = file;
    return case when sent > taken_back then 'sent'
                when exists (select from chat_message_files where company_id = app.company_id() and file_id = file) then 'chat'
                when sent = 0 then 'unsent'
                else 'taken_back'
           end;
end
$function$;

CREATE OR REPLACE FUNCTION app.use_password_reset(reset uuid, hash text, browser text, caller text, request text)
 RETURNS TABLE(company uuid, person uuid, email text, name text, locale text, session_ids uuid[], company_ids uuid[])
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    update password_resets set used_at = now()
     where id = reset and used_at is null and expires_at > now()
       and exists (select from memberships
                    where memberships.company_id = password_resets.company_id and memberships.user_id = password_resets.user_id
                      and memberships.status = 'active')
    returning password_resets.company_id, password_resets.user_id into company, person;
    if not found then
        return;
    end if;
    update password_resets set used_at = now() where user_id = person and used_at is null;
    update users set password_hash = hash, password_changed_at = now() where id = person
    returning users.email, users.name, users.locale into email, name, locale;
    delete from login_challenges where user_id = person;
    select coalesce(array_agg(ended.session_id), '{}'), coalesce(array_agg(ended.company_id), '{}') into session_ids, company_ids
      from app.end_logins(person, null, null) ended;
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (company, person, 'reset_password', person::text, caller, browser, request);
    return next;
end
$function$;

CREATE OR REPLACE FUNCTION app.user_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ select nullif(current_setting('app.user_id', true), '')::uuid $function$;

CREATE OR REPLACE FUNCTION app.visibility()
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$ select current_setting('app.visibility', true) $function$;

CREATE OR REPLACE FUNCTION app.wake_bot(client uuid)
 RETURNS uuid[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    company constant uuid := app.company_id();
    held uuid[];
begin
    select coalesce(array_agg(id order by id), '{}') into held
      from conversations
     where company_id = company and client_id = client and mode = 'bot' and ended_at is null;
    update jobs set run_at = now()
     where company_id = company and finished_at is null and run_at > now() and lane = id::text and kind in ('call_for_bot', 'wake_bot')
       and id in (select bot_job_id from conversations where company_id = company and id = any (held));
    return held;
end
$function$;

CREATE OR REPLACE FUNCTION app.web_push_of(person uuid)
 RETURNS TABLE(id uuid, company_id uuid, session_id uuid, endpoint text, p256dh bytea, auth bytea, server_key text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
#variable_conflict use_column
begin
    return query
    select subscriptions.id, subscriptions.company_id, subscriptions.session_id, subscriptions.endpoint, subscriptions.p256dh,
           subscriptions.auth, subscriptions.server_key
      from web_push_subscriptions subscriptions
      join sessions on sessions.id = subscriptions.session_id
      join memberships on memberships.company_id = subscriptions.company_id and memberships.user_id = subscriptions.user_id
      join companies on companies.id = subscriptions.company_id
     where subscriptions.company_id = app.company_id()
       and subscriptions.user_id = person
       and (subscriptions.expires_at is null or subscriptions.expires_at > now())
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and (companies.idle_minutes is null or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes))
       and memberships.status = 'active'
     order by subscriptions.refreshed_at desc, subscriptions.id;
end
$function$;

CREATE OR REPLACE FUNCTION app.who_sees_task(conversation uuid, mentee uuid, lead uuid, OUT department_id uuid, OUT assignee_id uuid, OUT participant_ids uuid[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if conversation is not null then
        select conversations.department_id, conversations.assignee_id, conversations.participant_ids
          into department_id, assignee_id, participant_ids
          from conversations
         where conversations.company_id = app.company_id() and conversations.id = conversation;
    elsif mentee is not null then
        select mentees.mentor_id into assignee_id from mentees where mentees.company_id = app.company_id() and mentees.id = mentee;
    elsif lead is not null then
        select pipelines.department_id, coalesce(leads.closer_id, leads.sdr_id), array_remove(array[leads.sdr_id], null)
          into department_id, assignee_id, participant_ids
          from leads
          join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
         where leads.company_id = app.company_id() and leads.id = lead;
    end if;
    participant_ids := coalesce(participant_ids, '{}');
end
$function$;

CREATE OR REPLACE FUNCTION app.would_see(role text, visibility text, person uuid, departments uuid[], of_department uuid, assignee uuid, participants uuid[])
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select role in ('admin', 'supervisor') or visibility = 'company' or assignee = person or person = any (participants)
        or (assignee is null or visibility = 'department') and (of_department is null or of_department = any (departments))
$function$;

CREATE OR REPLACE FUNCTION app.would_see_lead(lead uuid, role text, visibility text, person uuid, departments uuid[])
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    return role <> 'student' and exists (
        select from leads
          join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
         where leads.company_id = app.company_id() and leads.id = lead
           and app.would_see(role, visibility, person, departments, pipelines.department_id, coalesce(leads.closer_id, leads.sdr_id),
                             array[leads.sdr_id]));
end
$function$;

CREATE OR REPLACE FUNCTION app.zone_said_of(lead public.leads)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$ select nullif(btrim(lead.custom_fields ->> 'time_zone'), '') $function$;

-- triggers

CREATE TRIGGER bot_config_embedded AFTER INSERT OR UPDATE ON public.bot_config FOR EACH ROW WHEN ((new.key = 'ai_embedding_model'::text)) EXECUTE FUNCTION app.note_model();
CREATE TRIGGER bot_flows_files BEFORE INSERT ON public.bot_flows FOR EACH ROW WHEN ((new.number > 0)) EXECUTE FUNCTION app.hold_flow_files();
CREATE TRIGGER bot_flows_published BEFORE UPDATE OF definition, name ON public.bot_flows FOR EACH ROW WHEN (((old.number > 0) AND ((old.definition IS DISTINCT FROM new.definition) OR (old.name IS DISTINCT FROM new.name)))) EXECUTE FUNCTION app.keep_published_flows();
CREATE TRIGGER channel_accounts_department BEFORE UPDATE ON public.channel_accounts FOR EACH ROW WHEN (((new.department_id IS NOT NULL) AND (old.department_id IS DISTINCT FROM new.department_id))) EXECUTE FUNCTION app.send_to_live_department();
CREATE TRIGGER channel_accounts_department_from_the_start BEFORE INSERT ON public.channel_accounts FOR EACH ROW WHEN ((new.department_id IS NOT NULL)) EXECUTE FUNCTION app.send_to_live_department();
CREATE TRIGGER channel_members_managed AFTER DELETE ON public.channel_members FOR EACH ROW EXECUTE FUNCTION app.keep_managed();
CREATE TRIGGER channel_members_read_settled AFTER UPDATE OF read_place ON public.channel_members FOR EACH ROW WHEN ((new.user_id = app.user_id())) EXECUTE FUNCTION app.settle_chat();
CREATE TRIGGER channel_notices_told AFTER INSERT ON public.channel_notices FOR EACH ROW EXECUTE FUNCTION app.notify_of_channel();
CREATE TRIGGER chat_mentions_settled AFTER DELETE ON public.chat_mentions REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION app.settle_mentions();
CREATE TRIGGER chat_mentions_told AFTER INSERT ON public.chat_mentions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION app.notify_of_chat_mention();
CREATE TRIGGER chat_messages_changed BEFORE UPDATE OF body, mentions, deleted_at ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION app.change_chat_message();
CREATE TRIGGER chat_messages_deleted_settled AFTER UPDATE OF deleted_at ON public.chat_messages FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION app.settle_chat();
CREATE TRIGGER chat_messages_followed AFTER INSERT ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION app.follow_chat_message();
CREATE TRIGGER chat_messages_placed BEFORE INSERT ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION app.place_chat_message();
CREATE TRIGGER chat_messages_told AFTER INSERT ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION app.notify_of_chat_message();
CREATE TRIGGER chat_pins_limited BEFORE INSERT ON public.chat_pins FOR EACH ROW EXECUTE FUNCTION app.limit_chat_pins();
CREATE TRIGGER chat_pins_shown AFTER INSERT OR DELETE ON public.chat_pins FOR EACH ROW EXECUTE FUNCTION app.show_chat_message_anew();
CREATE TRIGGER chat_reactions_shown AFTER INSERT OR DELETE ON public.chat_reactions FOR EACH ROW EXECUTE FUNCTION app.show_chat_message_anew();
CREATE TRIGGER chat_thread_followers_read_settled AFTER INSERT OR UPDATE OF read_place ON public.chat_thread_followers FOR EACH ROW WHEN (((new.user_id = app.user_id()) AND (new.read_place > 0))) EXECUTE FUNCTION app.settle_chat();
CREATE TRIGGER client_files_held BEFORE INSERT ON public.client_files FOR EACH ROW WHEN ((CURRENT_USER = 'app_staff'::name)) EXECUTE FUNCTION app.hold_client_file();
CREATE TRIGGER client_identities_leads AFTER INSERT ON public.client_identities FOR EACH ROW WHEN ((new.kind = ANY (ARRAY['phone'::text, 'email'::text]))) EXECUTE FUNCTION app.link_leads_of_identity();
CREATE TRIGGER clients_files AFTER UPDATE OF merged_into_id ON public.clients FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_client_files();
CREATE TRIGGER clients_leads AFTER UPDATE OF merged_into_id ON public.clients FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_leads();
CREATE TRIGGER clients_mentees AFTER UPDATE OF merged_into_id ON public.clients FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_mentees();
CREATE TRIGGER clients_notes AFTER UPDATE OF merged_into_id ON public.clients FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_notes();
CREATE TRIGGER clients_notifications AFTER UPDATE OF merged_into_id ON public.clients FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_notifications();
CREATE TRIGGER clients_tags BEFORE INSERT OR UPDATE OF tags ON public.clients FOR EACH ROW WHEN (((new.tags <> '{}'::text[]) AND (pg_trigger_depth() = 0))) EXECUTE FUNCTION app.catalogue_tags();
CREATE TRIGGER clients_tasks AFTER UPDATE OF merged_into_id ON public.clients FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_tasks();
CREATE TRIGGER companies_general_channel AFTER INSERT ON public.companies FOR EACH ROW EXECUTE FUNCTION app.make_general_channel();
CREATE TRIGGER companies_pipeline AFTER INSERT ON public.companies FOR EACH ROW EXECUTE FUNCTION app.begin_selling();
CREATE TRIGGER conversation_transfers_handler AFTER INSERT OR UPDATE OF conversation_id ON public.conversation_transfers FOR EACH ROW WHEN ((new.to_user_id IS NOT NULL)) EXECUTE FUNCTION app.note_handler();
CREATE TRIGGER conversation_transfers_told AFTER INSERT ON public.conversation_transfers FOR EACH ROW EXECUTE FUNCTION app.notify_of_transfer();
CREATE TRIGGER conversations_assigned_from_the_start AFTER INSERT ON public.conversations FOR EACH ROW WHEN ((new.assignee_id IS NOT NULL)) EXECUTE FUNCTION app.record_transfer();
CREATE TRIGGER conversations_assignee AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((new.assignee_id IS NOT NULL) AND (old.assignee_id IS DISTINCT FROM new.assignee_id))) EXECUTE FUNCTION app.hold_assignee();
CREATE TRIGGER conversations_assignee_from_the_start AFTER INSERT ON public.conversations FOR EACH ROW WHEN ((new.assignee_id IS NOT NULL)) EXECUTE FUNCTION app.hold_assignee();
CREATE TRIGGER conversations_back BEFORE UPDATE ON public.conversations FOR EACH ROW WHEN (((old.ended_at IS NOT NULL) AND (new.ended_at IS NULL) AND (new.assignee_id IS NOT NULL))) EXECUTE FUNCTION app.return_to_active_assignee();
CREATE TRIGGER conversations_begin_anew BEFORE UPDATE ON public.conversations FOR EACH ROW WHEN (((old.mode = 'human'::text) AND (new.mode = 'bot'::text))) EXECUTE FUNCTION app.begin_anew();
CREATE TRIGGER conversations_carry_participants BEFORE UPDATE OF merged_into_id ON public.conversations FOR EACH ROW WHEN ((((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL)) AND ((new.participant_ids <> '{}'::uuid[]) OR (old.participants_lent IS NOT NULL)))) EXECUTE FUNCTION app.carry_participants();
CREATE TRIGGER conversations_channel AFTER INSERT ON public.conversations FOR EACH ROW WHEN ((new.ended_at IS NULL)) EXECUTE FUNCTION app.opens_on_a_channel();
CREATE TRIGGER conversations_client_back AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((new.ended_at IS NULL) AND ((old.ended_at IS NOT NULL) OR (old.client_id <> new.client_id)))) EXECUTE FUNCTION app.bring_client_back();
CREATE TRIGGER conversations_client_back_from_the_start AFTER INSERT ON public.conversations FOR EACH ROW WHEN ((new.ended_at IS NULL)) EXECUTE FUNCTION app.bring_client_back();
CREATE TRIGGER conversations_department BEFORE UPDATE ON public.conversations FOR EACH ROW WHEN (((new.department_id IS NOT NULL) AND ((old.department_id IS DISTINCT FROM new.department_id) OR ((old.ended_at IS NOT NULL) AND (new.ended_at IS NULL))))) EXECUTE FUNCTION app.send_to_live_department();
CREATE TRIGGER conversations_department_from_the_start BEFORE INSERT ON public.conversations FOR EACH ROW WHEN ((new.department_id IS NOT NULL)) EXECUTE FUNCTION app.send_to_live_department();
CREATE TRIGGER conversations_end_waiting BEFORE UPDATE ON public.conversations FOR EACH ROW WHEN (((old.snoozed_at IS NOT NULL) OR (old.return_to_bot_at IS NOT NULL))) EXECUTE FUNCTION app.end_waiting();
CREATE TRIGGER conversations_ended AFTER UPDATE OF ended_at ON public.conversations FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL) AND (new.merged_into_id IS NULL) AND (new.imported_at IS NULL))) EXECUTE FUNCTION app.note_ended();
CREATE TRIGGER conversations_ended_settled AFTER UPDATE OF ended_at ON public.conversations FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION app.settle_ended();
CREATE TRIGGER conversations_fence AFTER UPDATE OF subject, tags, priority, metadata ON public.conversations FOR EACH ROW WHEN (((new.version > old.version) AND (new.inbound_count = old.inbound_count) AND (new.mode = old.mode) AND (NOT (new.assignee_id IS DISTINCT FROM old.assignee_id)) AND (NOT (new.ended_at IS DISTINCT FROM old.ended_at)))) EXECUTE FUNCTION app.keep_fence();
CREATE TRIGGER conversations_free_place AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((old.status = 'active'::text) AND ((new.status <> 'active'::text) OR (new.assignee_id IS DISTINCT FROM old.assignee_id)))) EXECUTE FUNCTION app.note_free_place();
CREATE TRIGGER conversations_heard AFTER INSERT OR UPDATE OF inbound_count ON public.conversations FOR EACH ROW WHEN (((new.inbound_count > 0) AND (new.ended_at IS NULL) AND (new.imported_at IS NULL))) EXECUTE FUNCTION app.note_heard();
CREATE TRIGGER conversations_lead_reply AFTER UPDATE OF inbound_count ON public.conversations FOR EACH ROW WHEN (((new.inbound_count > old.inbound_count) AND (new.ended_at IS NULL) AND (new.imported_at IS NULL) AND (new.last_message_from = 'client'::text) AND (NOT (new.merged_into_id IS DISTINCT FROM old.merged_into_id)))) EXECUTE FUNCTION app.note_reply();
CREATE TRIGGER conversations_lead_reply_first AFTER INSERT ON public.conversations FOR EACH ROW WHEN (((new.inbound_count > 0) AND (new.ended_at IS NULL) AND (new.imported_at IS NULL))) EXECUTE FUNCTION app.note_reply();
CREATE TRIGGER conversations_message_told AFTER UPDATE OF inbound_count ON public.conversations FOR EACH ROW WHEN (((new.inbound_count > old.inbound_count) AND (new.ended_at IS NULL) AND (new.last_message_from = 'client'::text) AND (NOT (new.merged_into_id IS DISTINCT FROM old.merged_into_id)) AND ((new.assignee_id IS NOT NULL) OR (new.participant_ids <> '{}'::uuid[])))) EXECUTE FUNCTION app.notify_of_message();
CREATE TRIGGER conversations_notes AFTER UPDATE OF merged_into_id, client_id ON public.conversations FOR EACH ROW WHEN ((((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL)) OR (new.client_id <> old.client_id))) EXECUTE FUNCTION app.move_notes();
CREATE TRIGGER conversations_notifications AFTER UPDATE OF merged_into_id ON public.conversations FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_notifications();
CREATE TRIGGER conversations_number BEFORE INSERT ON public.conversations FOR EACH ROW WHEN ((new.protocol IS NULL)) EXECUTE FUNCTION app.number_conversation();
CREATE TRIGGER conversations_participants AFTER UPDATE OF participant_ids ON public.conversations FOR EACH ROW WHEN (((new.participant_ids <> '{}'::uuid[]) AND (new.participant_ids <> old.participant_ids) AND (pg_trigger_depth() = 0))) EXECUTE FUNCTION app.hold_participants();
CREATE TRIGGER conversations_pending BEFORE UPDATE ON public.conversations FOR EACH ROW WHEN (((old.mode IS DISTINCT FROM new.mode) OR (old.assignee_id IS DISTINCT FROM new.assignee_id) OR (old.ended_at IS DISTINCT FROM new.ended_at))) EXECUTE FUNCTION app.note_pending();
CREATE TRIGGER conversations_pending_from_the_start BEFORE INSERT ON public.conversations FOR EACH ROW EXECUTE FUNCTION app.note_pending();
CREATE TRIGGER conversations_preferences AFTER UPDATE OF merged_into_id ON public.conversations FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_preferences();
CREATE TRIGGER conversations_rating BEFORE UPDATE ON public.conversations FOR EACH ROW WHEN (((old.rating_message_id IS NOT NULL) AND (new.ended_at IS NULL))) EXECUTE FUNCTION app.end_rating();
CREATE TRIGGER conversations_rating_told AFTER UPDATE OF rating ON public.conversations FOR EACH ROW WHEN (((new.rating <= 2) AND (new.rating IS DISTINCT FROM old.rating))) EXECUTE FUNCTION app.notify_of_rating();
CREATE TRIGGER conversations_return_told AFTER UPDATE OF snoozed_at ON public.conversations FOR EACH ROW WHEN (((old.snoozed_until <= now()) AND (new.snoozed_at IS NULL) AND (new.assignee_id IS NOT NULL) AND (new.ended_at IS NULL))) EXECUTE FUNCTION app.notify_of_return();
CREATE TRIGGER conversations_revision BEFORE UPDATE ON public.conversations FOR EACH ROW EXECUTE FUNCTION app.count_revision();
CREATE TRIGGER conversations_scheduled AFTER UPDATE OF merged_into_id ON public.conversations FOR EACH ROW WHEN (((new.merged_into_id IS NOT NULL) AND (new.merged_into_id IS DISTINCT FROM old.merged_into_id))) EXECUTE FUNCTION app.follow_conversation();
CREATE TRIGGER conversations_shown AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((old.status <> new.status) OR (old.assignee_id IS DISTINCT FROM new.assignee_id) OR (old.client_id <> new.client_id))) EXECUTE FUNCTION app.note_shown();
CREATE TRIGGER conversations_shown_from_the_start AFTER INSERT ON public.conversations FOR EACH ROW EXECUTE FUNCTION app.note_shown();
CREATE TRIGGER conversations_tags BEFORE INSERT OR UPDATE OF tags ON public.conversations FOR EACH ROW WHEN (((new.tags <> '{}'::text[]) AND (pg_trigger_depth() = 0))) EXECUTE FUNCTION app.catalogue_tags();
CREATE TRIGGER conversations_tasks AFTER UPDATE OF merged_into_id, client_id ON public.conversations FOR EACH ROW WHEN ((((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL)) OR (new.client_id <> old.client_id))) EXECUTE FUNCTION app.move_tasks();
CREATE TRIGGER conversations_transferred AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((old.assignee_id IS DISTINCT FROM new.assignee_id) OR (old.department_id IS DISTINCT FROM new.department_id))) EXECUTE FUNCTION app.record_transfer();
CREATE TRIGGER conversations_waiting AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((new.status = 'pending'::text) AND (new.department_id IS NOT NULL) AND ((old.status <> 'pending'::text) OR (old.department_id IS DISTINCT FROM new.department_id)))) EXECUTE FUNCTION app.note_waiting();
CREATE TRIGGER conversations_waiting_again AFTER UPDATE ON public.conversations FOR EACH ROW WHEN (((new.status = 'pending'::text) AND (new.department_id IS NOT NULL) AND (old.snoozed_at IS NOT NULL) AND (new.snoozed_at IS NULL))) EXECUTE FUNCTION app.note_waiting();
CREATE TRIGGER conversations_waiting_from_the_start AFTER INSERT ON public.conversations FOR EACH ROW WHEN (((new.status = 'pending'::text) AND (new.department_id IS NOT NULL))) EXECUTE FUNCTION app.note_waiting();
CREATE TRIGGER conversations_window BEFORE INSERT ON public.conversations FOR EACH ROW EXECUTE FUNCTION app.keep_window();
CREATE TRIGGER conversations_window_kept BEFORE UPDATE OF window_expires_at ON public.conversations FOR EACH ROW WHEN (((old.window_expires_at = '9999-01-01 00:00:00+00'::timestamp with time zone) AND (new.window_expires_at IS DISTINCT FROM old.window_expires_at))) EXECUTE FUNCTION app.keep_window();
CREATE TRIGGER crm_connections_fields BEFORE UPDATE OF fields ON public.crm_connections FOR EACH ROW WHEN ((new.fields <> old.fields)) EXECUTE FUNCTION app.forget_crm_fields();
CREATE TRIGGER department_members_coming AFTER UPDATE ON public.department_members FOR EACH ROW WHEN ((old.capacity IS DISTINCT FROM new.capacity)) EXECUTE FUNCTION app.note_coming();
CREATE TRIGGER department_members_coming_new AFTER INSERT ON public.department_members FOR EACH ROW EXECUTE FUNCTION app.note_coming();
CREATE TRIGGER department_members_live BEFORE INSERT ON public.department_members FOR EACH ROW EXECUTE FUNCTION app.join_live_department();
CREATE TRIGGER departments_deleted AFTER UPDATE ON public.departments FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION app.leave_department();
CREATE TRIGGER departments_more_room AFTER UPDATE ON public.departments FOR EACH ROW WHEN (((new.assignment <> 'manual'::text) AND ((old.assignment <> new.assignment) OR (old.capacity < new.capacity)))) EXECUTE FUNCTION app.note_more_room();
CREATE TRIGGER departments_quick_replies AFTER UPDATE OF deleted_at ON public.departments FOR EACH ROW WHEN (((new.deleted_at IS NOT NULL) AND (old.deleted_at IS NULL) AND (new.moved_to_id IS NOT NULL))) EXECUTE FUNCTION app.move_quick_replies();
CREATE TRIGGER departments_views AFTER UPDATE OF deleted_at ON public.departments FOR EACH ROW WHEN (((new.deleted_at IS NOT NULL) AND (old.deleted_at IS NULL) AND (new.moved_to_id IS NOT NULL))) EXECUTE FUNCTION app.move_views();
CREATE TRIGGER evolution_instances_told AFTER UPDATE OF webhook_at ON public.evolution_instances FOR EACH ROW WHEN (((old.webhook_at IS NULL) AND (new.webhook_at IS NOT NULL))) EXECUTE FUNCTION app.end_previous_key();
CREATE TRIGGER price BEFORE INSERT ON public.external_api_usage FOR EACH ROW EXECUTE FUNCTION app.price_message();
CREATE TRIGGER files_objects AFTER DELETE ON public.files FOR EACH ROW EXECUTE FUNCTION app.let_objects_go();
CREATE TRIGGER files_of_chat BEFORE DELETE ON public.files FOR EACH ROW EXECUTE FUNCTION app.keep_chat_files();
CREATE TRIGGER files_of_flows BEFORE DELETE ON public.files FOR EACH ROW EXECUTE FUNCTION app.keep_flow_files();
CREATE TRIGGER files_of_quick_replies BEFORE DELETE ON public.files FOR EACH ROW EXECUTE FUNCTION app.keep_quick_reply_files();
CREATE TRIGGER files_shared AFTER UPDATE OF status ON public.files FOR EACH ROW WHEN (((old.status = ANY (ARRAY['pending'::text, 'quarantined'::text])) AND (new.status = 'ready'::text) AND (new.sha256 IS NOT NULL))) EXECUTE FUNCTION app.share_object();
CREATE TRIGGER files_voice AFTER UPDATE OF status ON public.files FOR EACH ROW WHEN (((old.status <> 'ready'::text) AND (new.status = 'ready'::text) AND (new.mime_type ~~ 'audio/%'::text) AND (new.conversation_id IS NOT NULL))) EXECUTE FUNCTION app.note_voice();
CREATE TRIGGER followup_executions_begun AFTER INSERT ON public.followup_executions FOR EACH ROW EXECUTE FUNCTION app.note_followup();
CREATE TRIGGER followup_executions_noted AFTER UPDATE OF status ON public.followup_executions FOR EACH ROW WHEN ((new.status <> old.status)) EXECUTE FUNCTION app.note_followup();
CREATE TRIGGER price BEFORE INSERT ON public.integration_calls FOR EACH ROW EXECUTE FUNCTION app.price_call();
CREATE TRIGGER job_progress_told AFTER UPDATE OF finished_at ON public.job_progress FOR EACH ROW WHEN (((old.finished_at IS NULL) AND (new.finished_at IS NOT NULL) AND (new.started_by IS NOT NULL) AND (new.state = ANY (ARRAY['done'::text, 'failed'::text])))) EXECUTE FUNCTION app.notify_of_job();
CREATE TRIGGER knowledge_articles_embedded AFTER INSERT OR UPDATE OF title, answer, questions, status ON public.knowledge_articles FOR EACH ROW WHEN (((new.status = 'active'::text) AND (new.removed_at IS NULL))) EXECUTE FUNCTION app.note_article();
CREATE TRIGGER knowledge_articles_followed AFTER INSERT OR UPDATE OF terms, weights, audience, status, valid_from, valid_until, removed_at, version ON public.knowledge_articles FOR EACH ROW EXECUTE FUNCTION app.follow_knowledge();
CREATE TRIGGER knowledge_uses_counted AFTER INSERT OR UPDATE OF helped ON public.knowledge_uses FOR EACH ROW EXECUTE FUNCTION app.count_knowledge_use();
CREATE TRIGGER lead_interactions_once BEFORE INSERT ON public.lead_interactions FOR EACH ROW WHEN ((new.source = 'message'::text)) EXECUTE FUNCTION app.one_interaction();
CREATE TRIGGER leads_changed AFTER UPDATE ON public.leads FOR EACH ROW EXECUTE FUNCTION app.note_lead_change();
CREATE TRIGGER leads_crm_record AFTER UPDATE OF merged_into_id ON public.leads FOR EACH ROW WHEN ((new.merged_into_id IS DISTINCT FROM old.merged_into_id)) EXECUTE FUNCTION app.move_crm_record();
CREATE TRIGGER leads_enter BEFORE INSERT ON public.leads FOR EACH ROW EXECUTE FUNCTION app.enter_stage();
CREATE TRIGGER leads_followups AFTER UPDATE OF status, stage_id, deleted_at, merged_into_id ON public.leads FOR EACH ROW WHEN (((new.status <> old.status) OR (new.deleted_at IS DISTINCT FROM old.deleted_at) OR (new.merged_into_id IS DISTINCT FROM old.merged_into_id))) EXECUTE FUNCTION app.end_followups();
CREATE TRIGGER leads_move BEFORE UPDATE OF stage_id ON public.leads FOR EACH ROW WHEN ((new.stage_id <> old.stage_id)) EXECUTE FUNCTION app.enter_stage();
CREATE TRIGGER leads_notify AFTER UPDATE ON public.leads REFERENCING OLD TABLE AS was NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION app.notify_of_leads();
CREATE TRIGGER leads_notify_new AFTER INSERT ON public.leads REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION app.notify_of_leads();
CREATE TRIGGER leads_placed BEFORE INSERT OR UPDATE OF client_id ON public.leads FOR EACH ROW WHEN (((new.client_id IS NOT NULL) AND (new.merged_into_id IS NULL))) EXECUTE FUNCTION app.follow_client();
CREATE TRIGGER leads_sold AFTER UPDATE OF stage_id ON public.leads FOR EACH ROW WHEN (((new.status = 'won'::text) AND (old.status <> 'won'::text) AND (new.merged_into_id IS NULL) AND (new.deleted_at IS NULL))) EXECUTE FUNCTION app.notify_of_sale();
CREATE TRIGGER leads_stage AFTER UPDATE OF stage_id ON public.leads FOR EACH ROW WHEN ((new.stage_id <> old.stage_id)) EXECUTE FUNCTION app.note_stage();
CREATE TRIGGER leads_stage_first AFTER INSERT ON public.leads FOR EACH ROW EXECUTE FUNCTION app.note_stage();
CREATE TRIGGER leads_tags BEFORE INSERT OR UPDATE OF tags ON public.leads FOR EACH ROW WHEN (((new.tags <> '{}'::text[]) AND (pg_trigger_depth() = 0))) EXECUTE FUNCTION app.catalogue_tags();
CREATE TRIGGER leads_tasks AFTER UPDATE OF merged_into_id ON public.leads FOR EACH ROW WHEN (((new.merged_into_id IS NULL) <> (old.merged_into_id IS NULL))) EXECUTE FUNCTION app.move_tasks_of_lead();
CREATE TRIGGER mails_told AFTER INSERT ON public.mails FOR EACH ROW WHEN ((new.template = ANY (ARRAY['new_device'::text, 'password_changed'::text, 'two_factor_enabled'::text, 'two_factor_disabled'::text, 'recovery_codes_renewed'::text]))) EXECUTE FUNCTION app.notify_of_mail();
CREATE TRIGGER memberships_channels AFTER INSERT OR UPDATE OF status, role ON public.memberships FOR EACH ROW EXECUTE FUNCTION app.follow_membership();
CREATE TRIGGER memberships_last_admin AFTER UPDATE OF role, status ON public.memberships FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.status = 'active'::text) AND ((new.role <> 'admin'::text) OR (new.status <> 'active'::text)))) EXECUTE FUNCTION app.keep_an_admin();
CREATE TRIGGER memberships_last_admin_gone AFTER DELETE ON public.memberships FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.status = 'active'::text))) EXECUTE FUNCTION app.keep_an_admin();
CREATE TRIGGER memberships_leave_conversations AFTER UPDATE OF status, role ON public.memberships FOR EACH ROW WHEN ((((old.status = 'active'::text) AND (new.status <> 'active'::text)) OR ((old.role <> 'student'::text) AND (new.role = 'student'::text)))) EXECUTE FUNCTION app.leave_conversations();
CREATE TRIGGER mentee_evolutions_held BEFORE INSERT ON public.mentee_evolutions FOR EACH ROW EXECUTE FUNCTION app.hold_mentee_month();
CREATE TRIGGER mentee_evolutions_kept AFTER UPDATE ON public.mentee_evolutions FOR EACH ROW WHEN ((new.version > old.version)) EXECUTE FUNCTION app.keep_mentee_evolution();
CREATE TRIGGER mentee_feedback_answered AFTER INSERT ON public.mentee_feedback FOR EACH ROW WHEN ((new.overall <= 5)) EXECUTE FUNCTION app.answer_feedback();
CREATE TRIGGER mentees_placed BEFORE INSERT ON public.mentees FOR EACH ROW EXECUTE FUNCTION app.follow_client();
CREATE TRIGGER messages_first_answer AFTER INSERT ON public.messages FOR EACH ROW WHEN (((new.sender_type = 'agent'::text) AND (new.sender_id IS NOT NULL) AND (new.kind <> 'reaction'::text) AND (NOT (new.payload ? 'automatic'::text)))) EXECUTE FUNCTION app.note_first_answer();
CREATE TRIGGER messages_followup_reply AFTER INSERT ON public.messages FOR EACH ROW WHEN (((new.sender_type = 'client'::text) AND (new.inbound_number IS NOT NULL))) EXECUTE FUNCTION app.note_followup_reply();
CREATE TRIGGER messages_handler AFTER INSERT OR UPDATE OF conversation_id ON public.messages FOR EACH ROW WHEN (((new.sender_type = 'agent'::text) AND (new.sender_id IS NOT NULL))) EXECUTE FUNCTION app.note_handler();
CREATE TRIGGER notes_placed BEFORE INSERT ON public.notes FOR EACH ROW EXECUTE FUNCTION app.place_note();
CREATE TRIGGER notes_told AFTER INSERT OR UPDATE OF mention_ids, deleted_at ON public.notes FOR EACH ROW EXECUTE FUNCTION app.notify_of_note();
CREATE TRIGGER presence_leases_coming AFTER UPDATE ON public.presence_leases FOR EACH ROW WHEN (((new.status = 'online'::text) AND ((old.status <> 'online'::text) OR (old.lease_until < (now() + '00:00:10'::interval))))) EXECUTE FUNCTION app.note_coming();
CREATE TRIGGER presence_leases_coming_new AFTER INSERT ON public.presence_leases FOR EACH ROW WHEN ((new.status = 'online'::text)) EXECUTE FUNCTION app.note_coming();
CREATE TRIGGER presence_leases_followed AFTER INSERT OR DELETE OR UPDATE OF status, lease_until ON public.presence_leases FOR EACH ROW EXECUTE FUNCTION app.note_presence();
CREATE TRIGGER quick_replies_most BEFORE INSERT ON public.quick_replies FOR EACH ROW EXECUTE FUNCTION app.hold_quick_replies();
CREATE TRIGGER quick_replies_new_files BEFORE INSERT ON public.quick_replies FOR EACH ROW WHEN ((new.file_ids <> '{}'::uuid[])) EXECUTE FUNCTION app.hold_quick_reply_files();
CREATE TRIGGER quick_replies_other_files BEFORE UPDATE OF file_ids ON public.quick_replies FOR EACH ROW WHEN (((new.file_ids <> '{}'::uuid[]) AND (new.file_ids <> old.file_ids))) EXECUTE FUNCTION app.hold_quick_reply_files();
CREATE TRIGGER quick_reply_used AFTER INSERT ON public.quick_reply_uses FOR EACH ROW EXECUTE FUNCTION app.count_quick_reply();
CREATE TRIGGER scheduled_chat_messages_failed_told AFTER UPDATE OF state ON public.scheduled_chat_messages FOR EACH ROW WHEN (((new.state = 'failed'::text) AND (old.state <> 'failed'::text))) EXECUTE FUNCTION app.notify_of_planned();
CREATE TRIGGER scheduled_messages_failed_told AFTER UPDATE OF state ON public.scheduled_messages FOR EACH ROW WHEN (((new.state = 'failed'::text) AND (old.state <> 'failed'::text))) EXECUTE FUNCTION app.notify_of_planned();
CREATE TRIGGER scheduled_messages_file BEFORE INSERT ON public.scheduled_messages FOR EACH ROW WHEN ((new.file_id IS NOT NULL)) EXECUTE FUNCTION app.hold_planned_file();
CREATE TRIGGER scheduled_messages_other_file BEFORE UPDATE OF file_id ON public.scheduled_messages FOR EACH ROW WHEN (((new.file_id IS NOT NULL) AND (new.file_id IS DISTINCT FROM old.file_id))) EXECUTE FUNCTION app.hold_planned_file();
CREATE TRIGGER sessions_login AFTER INSERT ON public.sessions FOR EACH ROW EXECUTE FUNCTION app.note_login();
CREATE TRIGGER sessions_web_push AFTER UPDATE OF revoked_at ON public.sessions FOR EACH ROW WHEN (((old.revoked_at IS NULL) AND (new.revoked_at IS NOT NULL))) EXECUTE FUNCTION app.end_web_push();
CREATE TRIGGER tags_deleted AFTER DELETE ON public.tags FOR EACH ROW EXECUTE FUNCTION app.follow_tag();
CREATE TRIGGER tags_renamed AFTER UPDATE OF name ON public.tags FOR EACH ROW WHEN ((new.name <> old.name)) EXECUTE FUNCTION app.follow_tag();
CREATE TRIGGER tasks_gone AFTER DELETE ON public.tasks FOR EACH ROW EXECUTE FUNCTION app.notify_of_task();
CREATE TRIGGER tasks_overdue_told AFTER UPDATE OF told_due_at ON public.tasks FOR EACH ROW WHEN (((new.told_due_at IS DISTINCT FROM old.told_due_at) AND (new.completed_at IS NULL))) EXECUTE FUNCTION app.notify_of_task();
CREATE TRIGGER tasks_placed BEFORE INSERT OR UPDATE OF client_id, conversation_id ON public.tasks FOR EACH ROW WHEN (((new.client_id IS NOT NULL) OR (new.conversation_id IS NOT NULL))) EXECUTE FUNCTION app.place_note();
CREATE TRIGGER tasks_settled AFTER UPDATE OF completed_at, due_at ON public.tasks FOR EACH ROW WHEN (((new.completed_at IS DISTINCT FROM old.completed_at) OR (new.due_at IS DISTINCT FROM old.due_at))) EXECUTE FUNCTION app.notify_of_task();
CREATE TRIGGER views_most BEFORE INSERT ON public.views FOR EACH ROW EXECUTE FUNCTION app.hold_views();

-- policies

create policy company on public.access_log as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.access_log as permissive for all to app_lookup using true;

create policy staff on public.access_log as permissive for all to app_staff using true;

create policy system on public.access_log as permissive for all to app_system using true;

create policy company on public.address_book_names as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.address_book_names as permissive for all to app_lookup using true;

create policy staff on public.address_book_names as permissive for all to app_staff using true;

create policy system on public.address_book_names as permissive for all to app_system using true;

create policy company on public.ai_days as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders on public.ai_days as restrictive for select to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy staff on public.ai_days as permissive for all to app_staff using true;

create policy system on public.ai_days as permissive for all to app_system using true;

create policy company on public.ai_runs as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.ai_runs as permissive for all to app_lookup using true;

create policy own_or_leaders on public.ai_runs as restrictive for select to app_staff using ((user_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role) OR (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = ai_runs.company_id) AND (conversations.id = ai_runs.conversation_id)))));

create policy staff on public.ai_runs as permissive for all to app_staff using true;

create policy system on public.ai_runs as permissive for all to app_system using true;

create policy company on public.audit_log as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.audit_log as permissive for all to app_lookup using true;

create policy staff on public.audit_log as permissive for all to app_staff using true;

create policy system on public.audit_log as permissive for all to app_system using true;

create policy company on public.bot_config as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.bot_config as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.bot_config as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.bot_config as permissive for all to app_lookup using true;

create policy staff on public.bot_config as permissive for all to app_staff using true;

create policy system on public.bot_config as permissive for all to app_system using true;

create policy company on public.bot_flows as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_delete on public.bot_flows as restrictive for delete to app_staff using ((number = 0) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy leaders_insert on public.bot_flows as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.bot_flows as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.bot_flows as permissive for all to app_lookup using true;

create policy staff on public.bot_flows as permissive for all to app_staff using true;

create policy system on public.bot_flows as permissive for all to app_system using true;

create policy company on public.bot_steps as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.bot_steps as permissive for all to app_staff using true;

create policy system on public.bot_steps as permissive for all to app_system using true;

create policy company on public.botconversa_subscribers as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.botconversa_subscribers as permissive for all to app_staff using true;

create policy system on public.botconversa_subscribers as permissive for all to app_system using true;

create policy company on public.calendars as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders on public.calendars as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy staff on public.calendars as permissive for select to app_staff using true;

create policy system on public.calendars as permissive for all to app_system using true;

create policy admins on public.channel_accounts as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.channel_accounts as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.channel_accounts as permissive for all to app_lookup using true;

create policy staff on public.channel_accounts as permissive for select to app_staff using true;

create policy system on public.channel_accounts as permissive for all to app_system using true;

create policy company on public.channel_credentials as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.channel_credentials as permissive for all to app_lookup using true;

create policy staff on public.channel_credentials as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy system on public.channel_credentials as permissive for all to app_system using true;

create policy company on public.channel_members as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.channel_members as permissive for all to app_lookup using true;

create policy own_changes on public.channel_members as restrictive for update to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.channel_members as permissive for all to app_staff using ((user_id = ( SELECT app.user_id() AS user_id)) OR (channel_id IN ( SELECT app.my_channels() AS my_channels)) OR (EXISTS ( SELECT
   FROM public.channels
  WHERE ((channels.id = channel_members.channel_id) AND (channels.kind = 'public'::text)))));

create policy system on public.channel_members as permissive for all to app_system using true;

create policy company on public.channel_notices as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.channel_notices as permissive for all to app_staff using ('self:admins'::text = ANY (( SELECT app.audiences() AS audiences)::text[]));

create policy system on public.channel_notices as permissive for all to app_system using true;

create policy company on public.channels as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.channels as permissive for all to app_lookup using true;

create policy managed on public.channels as restrictive for update to app_staff using app.manages_channel(id);

create policy staff on public.channels as permissive for all to app_staff using ((kind = 'public'::text) OR (id IN ( SELECT app.my_channels() AS my_channels)));

create policy system on public.channels as permissive for all to app_system using true;

create policy company on public.chat_mentions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.chat_mentions as permissive for all to app_lookup using true;

create policy staff on public.chat_mentions as permissive for all to app_staff using ((user_id = ( SELECT app.user_id() AS user_id)) AND (channel_id IN ( SELECT app.my_channels() AS my_channels)));

create policy system on public.chat_mentions as permissive for all to app_system using true;

create policy company on public.chat_message_files as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.chat_message_files as permissive for all to app_lookup using true;

create policy staff on public.chat_message_files as permissive for all to app_staff using (EXISTS ( SELECT
   FROM public.chat_messages
  WHERE ((chat_messages.id = chat_message_files.message_id) AND (chat_messages.deleted_at IS NULL))));

create policy system on public.chat_message_files as permissive for all to app_system using true;

create policy company on public.chat_message_revisions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.chat_message_revisions as permissive for all to app_lookup using true;

create policy staff on public.chat_message_revisions as permissive for all to app_staff using (EXISTS ( SELECT
   FROM public.chat_messages
  WHERE ((chat_messages.id = chat_message_revisions.message_id) AND (chat_messages.deleted_at IS NULL))));

create policy system on public.chat_message_revisions as permissive for all to app_system using true;

create policy company on public.chat_messages as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.chat_messages as permissive for all to app_lookup using true;

create policy own_changes on public.chat_messages as restrictive for update to app_staff using ((author_id = ( SELECT app.user_id() AS user_id)) OR app.manages_channel(channel_id));

create policy own_words on public.chat_messages as restrictive for insert to app_staff with check (author_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.chat_messages as permissive for all to app_staff using (channel_id IN ( SELECT app.my_channels() AS my_channels));

create policy system on public.chat_messages as permissive for all to app_system using true;

create policy company on public.chat_pins as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.chat_pins as permissive for all to app_lookup using true;

create policy own on public.chat_pins as restrictive for insert to app_staff with check (pinned_by_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.chat_pins as permissive for all to app_staff using (EXISTS ( SELECT
   FROM public.chat_messages
  WHERE ((chat_messages.id = chat_pins.message_id) AND (chat_messages.deleted_at IS NULL))));

create policy system on public.chat_pins as permissive for all to app_system using true;

create policy company on public.chat_reactions as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy own on public.chat_reactions as restrictive for insert to app_staff with check (user_id = ( SELECT app.user_id() AS user_id));

create policy own_deletes on public.chat_reactions as restrictive for delete to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.chat_reactions as permissive for all to app_staff using (EXISTS ( SELECT
   FROM public.chat_messages
  WHERE ((chat_messages.id = chat_reactions.message_id) AND (chat_messages.deleted_at IS NULL))));

create policy system on public.chat_reactions as permissive for all to app_system using true;

create policy company on public.chat_thread_followers as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.chat_thread_followers as permissive for all to app_lookup using true;

create policy staff on public.chat_thread_followers as permissive for all to app_staff using ((user_id = ( SELECT app.user_id() AS user_id)) AND (channel_id IN ( SELECT app.my_channels() AS my_channels)));

create policy system on public.chat_thread_followers as permissive for all to app_system using true;

create policy company on public.client_consents as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.client_consents as permissive for all to app_lookup using true;

create policy staff on public.client_consents as permissive for all to app_staff using true;

create policy system on public.client_consents as permissive for all to app_system using true;

create policy company on public.client_fields as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.client_fields as permissive for all to app_staff using true;

create policy system on public.client_fields as permissive for all to app_system using true;

create policy company on public.client_files as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.client_files as permissive for all to app_lookup using true;

create policy staff on public.client_files as permissive for all to app_staff using true;

create policy system on public.client_files as permissive for all to app_system using true;

create policy company on public.client_identities as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.client_identities as permissive for all to app_lookup using true;

create policy staff on public.client_identities as permissive for select to app_staff using true;

create policy staff_adds on public.client_identities as permissive for insert to app_staff with check (kind = ANY (ARRAY['phone'::text, 'email'::text]));

create policy staff_removes on public.client_identities as permissive for delete to app_staff using ((kind = 'email'::text) OR ((kind = 'phone'::text) AND (NOT app.has_open_conversation(client_id))));

create policy system on public.client_identities as permissive for all to app_system using true;

create policy company on public.client_import_rows as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.client_import_rows as permissive for all to app_lookup using true;

create policy system on public.client_import_rows as permissive for all to app_system using true;

create policy company on public.client_imports as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.client_imports as permissive for all to app_lookup using true;

create policy staff on public.client_imports as permissive for all to app_staff using ( SELECT app.sees_all() AS sees_all);

create policy system on public.client_imports as permissive for all to app_system using true;

create policy company on public.client_merges as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.client_merges as permissive for all to app_lookup using true;

create policy staff on public.client_merges as permissive for all to app_staff using ( SELECT app.sees_all() AS sees_all) with check true;

create policy system on public.client_merges as permissive for all to app_system using true;

create policy company on public.clients as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.clients as permissive for all to app_lookup using true;

create policy staff on public.clients as permissive for all to app_staff using true;

create policy student on public.clients as permissive for select to app_student using (id = ( SELECT app.client_id() AS client_id));

create policy system on public.clients as permissive for all to app_system using true;

create policy admins on public.companies as permissive for update to app_staff using ((id = ( SELECT app.company_id() AS company_id)) AND ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role));

create policy admins_alone on public.companies as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.companies as permissive for select to app_staff, app_student, app_system using (id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.companies as permissive for all to app_lookup using true;

create policy company on public.company_emoji as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.company_emoji as permissive for all to app_lookup using true;

create policy own on public.company_emoji as restrictive for insert to app_staff with check (created_by_id = ( SELECT app.user_id() AS user_id));

create policy own_deletes on public.company_emoji as restrictive for delete to app_staff using ((created_by_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy staff on public.company_emoji as permissive for all to app_staff using true;

create policy system on public.company_emoji as permissive for all to app_system using true;

create policy admins on public.company_secrets as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.company_secrets as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_read on public.company_secrets as permissive for select to app_staff using ((name = 'bot'::text) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy lookup on public.company_secrets as permissive for all to app_lookup using true;

create policy system on public.company_secrets as permissive for all to app_system using true;

create policy admins on public.company_setup as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.company_setup as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy system on public.company_setup as permissive for all to app_system using true;

create policy company on public.conversation_handlers as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.conversation_handlers as permissive for all to app_lookup using true;

create policy staff on public.conversation_handlers as permissive for all to app_staff using true;

create policy system on public.conversation_handlers as permissive for all to app_system using true;

create policy trigger_inserts on public.conversation_handlers as restrictive for insert to app_staff with check (pg_trigger_depth() > 0);

create policy company on public.conversation_insights as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy seen_conversations on public.conversation_insights as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = conversation_insights.company_id) AND (conversations.id = conversation_insights.conversation_id))));

create policy staff on public.conversation_insights as permissive for all to app_staff using true;

create policy system on public.conversation_insights as permissive for all to app_system using true;

create policy company on public.conversation_preferences as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.conversation_preferences as permissive for all to app_lookup using true;

create policy own on public.conversation_preferences as restrictive for all to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.conversation_preferences as permissive for all to app_staff using true;

create policy system on public.conversation_preferences as permissive for all to app_system using true;

create policy company on public.conversation_transfers as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.conversation_transfers as permissive for all to app_lookup using true;

create policy staff on public.conversation_transfers as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = conversation_transfers.company_id) AND (conversations.id = conversation_transfers.conversation_id)))));

create policy system on public.conversation_transfers as permissive for all to app_system using true;

create policy trigger_inserts on public.conversation_transfers as restrictive for insert to app_staff with check (pg_trigger_depth() > 0);

create policy company on public.conversations as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.conversations as permissive for all to app_lookup using true;

create policy staff on public.conversations as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (assignee_id = ( SELECT app.user_id() AS user_id)) OR (((department_id IS NULL) OR (department_id = ANY (( SELECT app.department_ids() AS department_ids)::uuid[]))) AND ((( SELECT app.visibility() AS visibility) = 'department'::text) OR (assignee_id IS NULL))) OR (( SELECT app.user_id() AS user_id) = ANY (participant_ids)) OR (id = ANY (( SELECT app.held_conversations() AS held_conversations)::uuid[]))) with check true;

create policy student on public.conversations as permissive for select to app_student using (client_id = ( SELECT app.client_id() AS client_id));

create policy system on public.conversations as permissive for all to app_system using true;

create policy company on public.crm_conflicts as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy seen_leads on public.crm_conflicts as restrictive for all to app_staff using (( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role) AND (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = crm_conflicts.company_id) AND (leads.id = crm_conflicts.lead_id)))));

create policy staff on public.crm_conflicts as permissive for all to app_staff using true;

create policy system on public.crm_conflicts as permissive for all to app_system using true;

create policy admins_insert on public.crm_connections as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy admins_update on public.crm_connections as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.crm_connections as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.crm_connections as permissive for all to app_lookup using true;

create policy staff on public.crm_connections as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy system on public.crm_connections as permissive for all to app_system using true;

create policy company on public.crm_records as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.crm_records as permissive for all to app_lookup using true;

create policy staff on public.crm_records as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy system on public.crm_records as permissive for all to app_system using true;

create policy company on public.department_members as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders on public.department_members as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.department_members as permissive for all to app_lookup using true;

create policy staff on public.department_members as permissive for select to app_staff using true;

create policy student on public.department_members as permissive for select to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy system on public.department_members as permissive for all to app_system using true;

create policy company on public.departments as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders on public.departments as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.departments as permissive for all to app_lookup using true;

create policy staff on public.departments as permissive for select to app_staff using true;

create policy system on public.departments as permissive for all to app_system using true;

create policy company on public.early_changes as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.early_changes as permissive for all to app_lookup using true;

create policy system on public.early_changes as permissive for all to app_system using true;

create policy company on public.early_statuses as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.early_statuses as permissive for all to app_lookup using true;

create policy system on public.early_statuses as permissive for all to app_system using true;

create policy everybody on public.event_rules as permissive for all to public using true;

create policy company on public.events as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.events as permissive for all to app_lookup using true;

create policy sight_of_notifications on public.events as restrictive for select to app_staff, app_student using ((type <> 'notification.created'::text) OR (EXISTS ( SELECT
   FROM public.notifications
  WHERE (notifications.id = (((events.data -> 'notification'::text) ->> 'id'::text))::uuid))));

create policy staff on public.events as permissive for all to app_staff using ((audience IS NULL) OR (( SELECT app.sees_all() AS sees_all) AND (audience[1] !~~ 'self:%'::text) AND (audience[1] !~~ 'channel:%'::text)) OR (audience && ( SELECT app.audiences() AS audiences)) OR ((audience[1] ~~ 'channel:%'::text) AND (audience[1] IN ( SELECT ('channel:'::text || channel.channel)
   FROM app.my_channels() channel(channel)))));

create policy student on public.events as permissive for select to app_student using (audience && ( SELECT app.audiences() AS audiences));

create policy system on public.events as permissive for all to app_system using true;

create policy company on public.evolution_codes as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.evolution_codes as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy system on public.evolution_codes as permissive for all to app_system using true;

create policy admins on public.evolution_instances as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.evolution_instances as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.evolution_instances as permissive for all to app_lookup using true;

create policy staff on public.evolution_instances as permissive for all to app_staff using true;

create policy system on public.evolution_instances as permissive for all to app_system using true;

create policy company on public.external_api_usage as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.external_api_usage as permissive for all to app_staff using ( SELECT app.sees_all() AS sees_all);

create policy system on public.external_api_usage as permissive for all to app_system using true;

create policy everybody on public.feed_epochs as permissive for all to public using true;

create policy avatars on public.files as permissive for select to app_staff using (EXISTS ( SELECT
   FROM public.memberships
  WHERE ((memberships.company_id = files.company_id) AND (memberships.avatar_file_id = files.id))));

create policy chat on public.files as permissive for select to app_staff using ((EXISTS ( SELECT
   FROM public.chat_message_files
  WHERE ((chat_message_files.company_id = files.company_id) AND (chat_message_files.file_id = files.id)))) OR (EXISTS ( SELECT
   FROM public.company_emoji
  WHERE ((company_emoji.company_id = files.company_id) AND (company_emoji.file_id = files.id)))));

create policy company on public.files as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy documents on public.files as permissive for select to app_staff using (EXISTS ( SELECT
   FROM public.client_files
  WHERE ((client_files.company_id = files.company_id) AND (client_files.file_id = files.id))));

create policy lookup on public.files as permissive for all to app_lookup using true;

create policy own_deletes on public.files as restrictive for delete to app_staff, app_student using ((uploaded_by = ( SELECT app.user_id() AS user_id)) AND (app.use_of_file(id) = 'unsent'::text));

create policy own_inserts on public.files as restrictive for insert to app_staff, app_student with check ((uploaded_by = ( SELECT app.user_id() AS user_id)) AND (status = 'pending'::text) AND (storage_key = ((('upload/'::text || company_id) || '/'::text) || id)) AND ((conversation_id IS NULL) OR (EXISTS ( SELECT
   FROM public.conversations
  WHERE (conversations.id = files.conversation_id)))));

create policy own_updates on public.files as restrictive for update to app_staff, app_student using ((uploaded_by = ( SELECT app.user_id() AS user_id)) AND (status <> 'quarantined'::text)) with check (starts_with(split_part(storage_key, '/'::text, 3), (id)::text) OR (storage_key = app.key_of_file(id)));

create policy quick_replies on public.files as permissive for select to app_staff using (id = ANY (( SELECT app.quick_reply_files() AS quick_reply_files)::uuid[]));

create policy staff on public.files as permissive for all to app_staff using ((EXISTS ( SELECT
   FROM public.messages
  WHERE ((messages.company_id = files.company_id) AND (messages.file_id = files.id) AND (messages.deleted_at IS NULL)))) OR
CASE app.use_of_file(id)
    WHEN 'unsent'::text THEN (( SELECT app.sees_all() AS sees_all) OR (uploaded_by = ( SELECT app.user_id() AS user_id)) OR (EXISTS ( SELECT
       FROM public.conversations
      WHERE ((conversations.company_id = files.company_id) AND (conversations.id = files.conversation_id)))))
    WHEN 'sent'::text THEN (uploaded_by = ( SELECT app.user_id() AS user_id))
    ELSE false
END);

create policy student on public.files as permissive for all to app_student using ((EXISTS ( SELECT
   FROM public.messages
  WHERE ((messages.company_id = files.company_id) AND (messages.file_id = files.id) AND (messages.deleted_at IS NULL)))) OR ((uploaded_by = ( SELECT app.user_id() AS user_id)) AND (app.use_of_file(id) <> 'taken_back'::text)));

create policy system on public.files as permissive for all to app_system using (app.use_of_file(id) <> 'taken_back'::text);

create policy company on public.first_answers as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.first_answers as permissive for all to app_lookup using true;

create policy system on public.first_answers as permissive for all to app_system using true;

create policy company on public.followup_executions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.followup_executions as permissive for all to app_lookup using true;

create policy seen_leads on public.followup_executions as restrictive for all to app_staff using (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = followup_executions.company_id) AND (leads.id = followup_executions.lead_id))));

create policy staff on public.followup_executions as permissive for all to app_staff using true;

create policy system on public.followup_executions as permissive for all to app_system using true;

create policy company on public.followup_logs as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.followup_logs as permissive for all to app_lookup using true;

create policy seen_leads on public.followup_logs as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.followup_executions
  WHERE ((followup_executions.company_id = followup_logs.company_id) AND (followup_executions.id = followup_logs.execution_id))));

create policy staff on public.followup_logs as permissive for all to app_staff using true;

create policy system on public.followup_logs as permissive for all to app_system using true;

create policy company on public.followup_optouts as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.followup_optouts as permissive for all to app_lookup using true;

create policy staff on public.followup_optouts as permissive for all to app_staff using true;

create policy system on public.followup_optouts as permissive for all to app_system using true;

create policy company on public.followup_sequences as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.followup_sequences as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.followup_sequences as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.followup_sequences as permissive for all to app_lookup using true;

create policy staff on public.followup_sequences as permissive for all to app_staff using true;

create policy system on public.followup_sequences as permissive for all to app_system using true;

create policy company on public.holidays as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders on public.holidays as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy staff on public.holidays as permissive for select to app_staff using true;

create policy system on public.holidays as permissive for all to app_system using true;

create policy company on public.idempotency_keys as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.idempotency_keys as permissive for all to app_lookup using true;

create policy staff on public.idempotency_keys as permissive for all to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy student on public.idempotency_keys as permissive for all to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy system on public.idempotency_keys as permissive for all to app_system using true;

create policy company on public.inbound_webhooks as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.inbound_webhooks as permissive for all to app_lookup using true;

create policy staff on public.inbound_webhooks as permissive for select to app_staff using ( SELECT app.sees_all() AS sees_all);

create policy system on public.inbound_webhooks as permissive for all to app_system using true;

create policy company on public.integration_calls as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.integration_calls as permissive for all to app_lookup using true;

create policy staff on public.integration_calls as permissive for all to app_staff using ( SELECT app.sees_all() AS sees_all);

create policy system on public.integration_calls as permissive for all to app_system using true;

create policy admins on public.integration_prices as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.integration_prices as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.integration_prices as permissive for select to app_staff using ( SELECT app.sees_all() AS sees_all);

create policy system on public.integration_prices as permissive for all to app_system using true;

create policy company on public.invites as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.invites as permissive for all to app_lookup using true;

create policy staff on public.invites as permissive for all to app_staff using (( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role) OR (( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text]) AS has_role) AND (role = ANY (ARRAY['agent'::text, 'student'::text]))));

create policy system on public.invites as permissive for all to app_system using true;

create policy cancels on public.job_progress as permissive for update to app_staff using ((state = ANY (ARRAY['queued'::text, 'running'::text])) AND ((started_by = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role))) with check (state = 'cancelling'::text);

create policy company on public.job_progress as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.job_progress as permissive for all to app_lookup using true;

create policy own on public.job_progress as permissive for select to app_staff using ((started_by = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role) OR (( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text]) AS has_role) AND (kind IN ( SELECT job_rules.kind
   FROM public.job_rules
  WHERE (job_rules.added_by <> 'admin'::text)))));

create policy starts on public.job_progress as permissive for insert to app_staff with check ((started_by = ( SELECT app.user_id() AS user_id)) AND (state = 'queued'::text) AND (finished_at IS NULL));

create policy system on public.job_progress as permissive for all to app_system using true;

create policy everybody on public.job_rules as permissive for all to public using true;

create policy company on public.jobs as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy failed on public.jobs as permissive for select to app_staff using (failed AND ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role));

create policy lookup on public.jobs as permissive for all to app_lookup using true;

create policy system on public.jobs as permissive for all to app_system using true;

create policy company on public.knowledge_articles as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.knowledge_articles as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.knowledge_articles as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.knowledge_articles as permissive for all to app_lookup using true;

create policy staff on public.knowledge_articles as permissive for all to app_staff using (((removed_at IS NULL) AND (status = 'active'::text) AND ((valid_from IS NULL) OR (valid_from <= now())) AND ((valid_until IS NULL) OR (valid_until > now()))) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy system on public.knowledge_articles as permissive for all to app_system using true;

create policy company on public.knowledge_embeddings as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.knowledge_embeddings as permissive for all to app_lookup using true;

create policy staff on public.knowledge_embeddings as permissive for all to app_staff using true;

create policy system on public.knowledge_embeddings as permissive for all to app_system using true;

create policy company on public.knowledge_import_rows as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.knowledge_import_rows as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy system on public.knowledge_import_rows as permissive for all to app_system using true;

create policy company on public.knowledge_misses as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.knowledge_misses as permissive for insert to app_staff with check true;

create policy system on public.knowledge_misses as permissive for all to app_system using true;

create policy company on public.knowledge_proposals as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.knowledge_proposals as permissive for all to app_lookup using true;

create policy staff on public.knowledge_proposals as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy system on public.knowledge_proposals as permissive for all to app_system using true;

create policy company on public.knowledge_revisions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.knowledge_revisions as permissive for all to app_lookup using true;

create policy staff on public.knowledge_revisions as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy system on public.knowledge_revisions as permissive for all to app_system using true;

create policy company on public.knowledge_synonyms as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.knowledge_synonyms as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.knowledge_synonyms as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.knowledge_synonyms as permissive for all to app_lookup using true;

create policy staff on public.knowledge_synonyms as permissive for all to app_staff using true;

create policy system on public.knowledge_synonyms as permissive for all to app_system using true;

create policy company on public.knowledge_terms as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.knowledge_terms as permissive for all to app_lookup using true;

create policy system on public.knowledge_terms as permissive for all to app_system using true;

create policy company on public.knowledge_uses as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy own_inserts on public.knowledge_uses as restrictive for insert to app_staff with check (user_id = ( SELECT app.user_id() AS user_id));

create policy own_updates on public.knowledge_uses as restrictive for update to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.knowledge_uses as permissive for all to app_staff using true;

create policy system on public.knowledge_uses as permissive for all to app_system using true;

create policy company on public.knowledge_vocabulary as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.knowledge_vocabulary as permissive for all to app_lookup using true;

create policy system on public.knowledge_vocabulary as permissive for all to app_system using true;

create policy lookup on public.known_devices as permissive for all to app_lookup using true;

create policy company on public.lead_automations as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.lead_automations as permissive for all to app_lookup using true;

create policy seen_leads on public.lead_automations as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = lead_automations.company_id) AND (leads.id = lead_automations.lead_id))));

create policy staff on public.lead_automations as permissive for all to app_staff using true;

create policy system on public.lead_automations as permissive for all to app_system using true;

create policy company on public.lead_changes as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.lead_changes as permissive for all to app_lookup using true;

create policy seen_leads on public.lead_changes as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = lead_changes.company_id) AND (leads.id = lead_changes.lead_id))));

create policy staff on public.lead_changes as permissive for all to app_staff using true;

create policy system on public.lead_changes as permissive for all to app_system using true;

create policy company on public.lead_fields as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.lead_fields as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.lead_fields as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy staff on public.lead_fields as permissive for all to app_staff using true;

create policy system on public.lead_fields as permissive for all to app_system using true;

create policy company on public.lead_import_rows as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.lead_import_rows as permissive for all to app_lookup using true;

create policy system on public.lead_import_rows as permissive for all to app_system using true;

create policy company on public.lead_imports as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.lead_imports as permissive for all to app_lookup using true;

create policy staff on public.lead_imports as permissive for all to app_staff using ( SELECT app.sees_all() AS sees_all);

create policy system on public.lead_imports as permissive for all to app_system using true;

create policy company on public.lead_interactions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_update on public.lead_interactions as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.lead_interactions as permissive for all to app_lookup using true;

create policy own_work on public.lead_interactions as restrictive for insert to app_staff with check ((author_id = ( SELECT app.user_id() AS user_id)) AND (source = 'person'::text));

create policy seen_leads on public.lead_interactions as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = lead_interactions.company_id) AND (leads.id = lead_interactions.lead_id))));

create policy staff on public.lead_interactions as permissive for all to app_staff using true;

create policy system on public.lead_interactions as permissive for all to app_system using true;

create policy company on public.lead_merges as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.lead_merges as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.lead_merges as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy seen_leads on public.lead_merges as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = lead_merges.company_id) AND (leads.id = lead_merges.lead_id))));

create policy staff on public.lead_merges as permissive for all to app_staff using true;

create policy system on public.lead_merges as permissive for all to app_system using true;

create policy company on public.lead_proposals as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy staff on public.lead_proposals as permissive for all to app_staff using true;

create policy system on public.lead_proposals as permissive for all to app_system using true;

create policy company on public.lead_scoring as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.lead_scoring as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy staff on public.lead_scoring as permissive for all to app_staff using true;

create policy system on public.lead_scoring as permissive for all to app_system using true;

create policy company on public.lead_stages as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.lead_stages as permissive for all to app_lookup using true;

create policy seen_leads on public.lead_stages as restrictive for select to app_staff using (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = lead_stages.company_id) AND (leads.id = lead_stages.lead_id))));

create policy staff on public.lead_stages as permissive for all to app_staff using true;

create policy system on public.lead_stages as permissive for all to app_system using true;

create policy company on public.leads as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.leads as permissive for all to app_lookup using true;

create policy staff on public.leads as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (closer_id = ( SELECT app.user_id() AS user_id)) OR (sdr_id = ( SELECT app.user_id() AS user_id)) OR ((pipeline_id = ANY (( SELECT app.own_pipelines() AS own_pipelines)::uuid[])) AND ((( SELECT app.visibility() AS visibility) = 'department'::text) OR ((closer_id IS NULL) AND (sdr_id IS NULL)))) OR (id = ANY (( SELECT app.held_leads() AS held_leads)::uuid[]))) with check true;

create policy system on public.leads as permissive for all to app_system using true;

create policy company on public.login_challenges as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.login_challenges as permissive for all to app_lookup using true;

create policy staff on public.login_challenges as permissive for all to app_staff using true;

create policy system on public.login_challenges as permissive for all to app_system using true;

create policy admins on public.mail_accounts as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.mail_accounts as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.mail_accounts as permissive for all to app_lookup using true;

create policy system on public.mail_accounts as permissive for all to app_system using true;

create policy everybody on public.mail_rules as permissive for all to public using true;

create policy admins on public.mails as permissive for select to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['admin'::text]) AS has_role);

create policy company on public.mails as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.mails as permissive for all to app_lookup using true;

create policy system on public.mails as permissive for all to app_system using true;

create policy company on public.memberships as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.memberships as permissive for all to app_lookup using true;

create policy staff on public.memberships as permissive for all to app_staff using true;

create policy student on public.memberships as permissive for select to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy system on public.memberships as permissive for all to app_system using true;

create policy company on public.mentee_evolution_revisions as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.mentee_evolution_revisions as permissive for all to app_lookup using true;

create policy sight on public.mentee_evolution_revisions as restrictive for all to app_staff using (EXISTS ( SELECT
   FROM public.mentee_evolutions evolutions
  WHERE ((evolutions.company_id = mentee_evolution_revisions.company_id) AND (evolutions.id = mentee_evolution_revisions.evolution_id))));

create policy staff on public.mentee_evolution_revisions as permissive for all to app_staff using true;

create policy system on public.mentee_evolution_revisions as permissive for all to app_system using true;

create policy company on public.mentee_evolutions as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.mentee_evolutions as permissive for all to app_lookup using true;

create policy sight on public.mentee_evolutions as restrictive for all to app_staff using (EXISTS ( SELECT
   FROM public.mentees
  WHERE ((mentees.company_id = mentee_evolutions.company_id) AND (mentees.id = mentee_evolutions.mentee_id))));

create policy staff on public.mentee_evolutions as permissive for all to app_staff using true;

create policy student on public.mentee_evolutions as permissive for all to app_student using (EXISTS ( SELECT
   FROM public.mentees
  WHERE ((mentees.company_id = mentee_evolutions.company_id) AND (mentees.id = mentee_evolutions.mentee_id)))) with check (EXISTS ( SELECT
   FROM public.mentees
  WHERE ((mentees.company_id = mentee_evolutions.company_id) AND (mentees.id = mentee_evolutions.mentee_id) AND (mentees.status <> 'ended'::text))));

create policy system on public.mentee_evolutions as permissive for all to app_system using true;

create policy company on public.mentee_feedback as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy sight on public.mentee_feedback as restrictive for all to app_staff using (EXISTS ( SELECT
   FROM public.mentees
  WHERE ((mentees.company_id = mentee_feedback.company_id) AND (mentees.id = mentee_feedback.mentee_id))));

create policy staff on public.mentee_feedback as permissive for all to app_staff using true;

create policy student on public.mentee_feedback as permissive for all to app_student using (EXISTS ( SELECT
   FROM public.mentees
  WHERE ((mentees.company_id = mentee_feedback.company_id) AND (mentees.id = mentee_feedback.mentee_id)))) with check (EXISTS ( SELECT
   FROM public.mentees
  WHERE ((mentees.company_id = mentee_feedback.company_id) AND (mentees.id = mentee_feedback.mentee_id) AND (mentees.status <> 'ended'::text))));

create policy system on public.mentee_feedback as permissive for all to app_system using true;

create policy company on public.mentees as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.mentees as permissive for all to app_lookup using true;

create policy own_changes on public.mentees as restrictive for update to app_staff using ((mentor_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)) with check ((mentor_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy own_mentees on public.mentees as restrictive for insert to app_staff with check ((mentor_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy staff on public.mentees as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (mentor_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.visibility() AS visibility) = 'department'::text)) with check true;

create policy student on public.mentees as permissive for select to app_student using (client_id = ( SELECT app.client_id() AS client_id));

create policy system on public.mentees as permissive for all to app_system using true;

create policy company on public.message_templates as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders on public.message_templates as permissive for all to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy staff on public.message_templates as permissive for select to app_staff using true;

create policy system on public.message_templates as permissive for all to app_system using true;

create policy company on public.messages as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.messages as permissive for all to app_lookup using true;

create policy own_side on public.messages as restrictive for update to app_staff using ((sender_type = ANY (ARRAY['agent'::text, 'bot'::text])) OR (EXISTS ( SELECT
   FROM public.memberships
  WHERE ((memberships.company_id = app.company_id()) AND (memberships.user_id = app.user_id()) AND (memberships.role = ANY (ARRAY['supervisor'::text, 'admin'::text]))))));

create policy own_words on public.messages as restrictive for insert to app_staff with check ((sender_type = ANY (ARRAY['agent'::text, 'system'::text])) AND (sender_id = ( SELECT app.user_id() AS user_id)));

create policy staff on public.messages as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = messages.company_id) AND (conversations.id = messages.conversation_id)))));

create policy student on public.messages as permissive for select to app_student using (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = messages.company_id) AND (conversations.id = messages.conversation_id))));

create policy system on public.messages as permissive for all to app_system using true;

create policy company on public.note_revisions as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy sight on public.note_revisions as restrictive for all to app_staff using (EXISTS ( SELECT
   FROM public.notes
  WHERE (notes.id = note_revisions.note_id))) with check ((replaced_by_id = ( SELECT app.user_id() AS user_id)) AND (EXISTS ( SELECT
   FROM public.notes
  WHERE (notes.id = note_revisions.note_id))));

create policy staff on public.note_revisions as permissive for all to app_staff using true;

create policy system on public.note_revisions as permissive for all to app_system using true;

create policy company on public.notes as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.notes as permissive for all to app_lookup using true;

create policy own_changes on public.notes as restrictive for update to app_staff using true with check ((author_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy own_words on public.notes as restrictive for insert to app_staff with check (author_id = ( SELECT app.user_id() AS user_id));

create policy sight on public.notes as restrictive for all to app_staff using ((conversation_id IS NULL) OR (EXISTS ( SELECT
   FROM public.conversations
  WHERE (conversations.id = notes.conversation_id))));

create policy staff on public.notes as permissive for all to app_staff using true;

create policy system on public.notes as permissive for all to app_system using true;

create policy company on public.notification_causes as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.notification_causes as permissive for all to app_lookup using true;

create policy staff on public.notification_causes as permissive for all to app_staff using true;

create policy system on public.notification_causes as permissive for all to app_system using true;

create policy company on public.notification_heads as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.notification_heads as permissive for all to app_lookup using true;

create policy staff on public.notification_heads as permissive for all to app_staff using true;

create policy system on public.notification_heads as permissive for all to app_system using true;

create policy company on public.notification_preferences as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.notification_preferences as permissive for all to app_lookup using true;

create policy staff on public.notification_preferences as permissive for all to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy student on public.notification_preferences as permissive for all to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy system on public.notification_preferences as permissive for all to app_system using true;

create policy everybody on public.notification_types as permissive for all to public using true;

create policy company on public.notifications as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.notifications as permissive for all to app_lookup using true;

create policy sight on public.notifications as restrictive for all to app_staff, app_student using ((conversation_id IS NULL) OR (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = notifications.company_id) AND (conversations.id = notifications.conversation_id)))));

create policy sight_of_channels on public.notifications as restrictive for all to app_staff using ((channel_id IS NULL) OR (channel_id IN ( SELECT app.my_channels() AS my_channels)));

create policy sight_of_leads on public.notifications as restrictive for all to app_staff using ((lead_id IS NULL) OR (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = notifications.company_id) AND (leads.id = notifications.lead_id)))));

create policy staff on public.notifications as permissive for all to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy student on public.notifications as permissive for all to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy system on public.notifications as permissive for all to app_system using true;

create policy company on public.object_removals as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.object_removals as permissive for all to app_lookup using true;

create policy own_files on public.object_removals as restrictive for all to app_staff, app_student using ((EXISTS ( SELECT
   FROM public.files
  WHERE ((files.id =
        CASE
            WHEN (split_part(object_removals.storage_key, '/'::text, 3) ~ '^[0-9a-f-]{36}'::text) THEN ("left"(split_part(object_removals.storage_key, '/'::text, 3), 36))::uuid
            ELSE NULL::uuid
        END) AND (files.uploaded_by = ( SELECT app.user_id() AS user_id))))) OR (( SELECT app.sees_all() AS sees_all) AND starts_with(storage_key, (('company/'::text || company_id) || '/export-'::text))));

create policy staff on public.object_removals as permissive for all to app_staff using true;

create policy student on public.object_removals as permissive for all to app_student using true;

create policy system on public.object_removals as permissive for all to app_system using true;

create policy company on public.password_resets as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.password_resets as permissive for all to app_lookup using true;

create policy staff on public.password_resets as permissive for all to app_staff using true;

create policy system on public.password_resets as permissive for all to app_system using true;

create policy company on public.pipelines as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.pipelines as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.pipelines as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.pipelines as permissive for all to app_lookup using true;

create policy staff on public.pipelines as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (department_id IS NULL) OR (department_id = ANY (( SELECT app.department_ids() AS department_ids)::uuid[])) OR (EXISTS ( SELECT
   FROM public.leads
  WHERE ((leads.company_id = pipelines.company_id) AND (leads.pipeline_id = pipelines.id) AND ((leads.closer_id = ( SELECT app.user_id() AS user_id)) OR (leads.sdr_id = ( SELECT app.user_id() AS user_id)) OR (leads.id = ANY (( SELECT app.held_leads() AS held_leads)::uuid[]))))))) with check true;

create policy system on public.pipelines as permissive for all to app_system using true;

create policy company on public.presence_corrections as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.presence_corrections as restrictive for insert to app_staff with check (( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role) AND (by_id = ( SELECT app.user_id() AS user_id)));

create policy staff on public.presence_corrections as permissive for all to app_staff using ((user_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy system on public.presence_corrections as permissive for all to app_system using true;

create policy company on public.presence_intervals as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_insert on public.presence_intervals as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.presence_intervals as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.presence_intervals as permissive for all to app_lookup using true;

create policy staff on public.presence_intervals as permissive for all to app_staff using ((user_id = ( SELECT app.user_id() AS user_id)) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role));

create policy system on public.presence_intervals as permissive for all to app_system using true;

create policy company on public.presence_leases as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.presence_leases as permissive for all to app_lookup using true;

create policy own on public.presence_leases as permissive for all to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.presence_leases as permissive for select to app_staff using true;

create policy student on public.presence_leases as permissive for all to app_student using (user_id = ( SELECT app.user_id() AS user_id)) with check false;

create policy system on public.presence_leases as permissive for all to app_system using true;

create policy company on public.protocol_blocks as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.protocol_blocks as permissive for all to app_lookup using true;

create policy staff on public.protocol_blocks as permissive for all to app_staff using true;

create policy system on public.protocol_blocks as permissive for all to app_system using true;

create policy changes on public.quick_replies as restrictive for update to app_staff using true with check ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)));

create policy company on public.quick_replies as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy deletes on public.quick_replies as restrictive for delete to app_staff using ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)));

create policy lookup on public.quick_replies as permissive for all to app_lookup using true;

create policy own_or_shared on public.quick_replies as restrictive for insert to app_staff with check ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)));

create policy sight on public.quick_replies as restrictive for select to app_staff using ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ((department_id IS NULL) OR (department_id = ANY (( SELECT app.department_ids() AS department_ids)::uuid[])) OR ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role))));

create policy staff on public.quick_replies as permissive for all to app_staff using true;

create policy system on public.quick_replies as permissive for all to app_system using true;

create policy company on public.quick_reply_uses as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy own_messages on public.quick_reply_uses as restrictive for insert to app_staff with check ((EXISTS ( SELECT
   FROM public.messages
  WHERE ((messages.id = quick_reply_uses.message_id) AND (messages.sender_id = ( SELECT app.user_id() AS user_id))))) AND (EXISTS ( SELECT
   FROM public.quick_replies
  WHERE (quick_replies.id = quick_reply_uses.quick_reply_id))));

create policy staff on public.quick_reply_uses as permissive for all to app_staff using true;

create policy system on public.quick_reply_uses as permissive for all to app_system using true;

create policy lookup on public.recovery_codes as permissive for all to app_lookup using true;

create policy company on public.refresh_tokens as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.refresh_tokens as permissive for all to app_lookup using true;

create policy staff on public.refresh_tokens as permissive for all to app_staff using true;

create policy system on public.refresh_tokens as permissive for all to app_system using true;

create policy everybody on public.schedule_runs as permissive for select to public using true;

create policy lookup on public.schedule_runs as permissive for all to app_lookup using true;

create policy company on public.scheduled_chat_messages as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.scheduled_chat_messages as permissive for all to app_lookup using true;

create policy staff on public.scheduled_chat_messages as permissive for all to app_staff using ((author_id = ( SELECT app.user_id() AS user_id)) AND (channel_id IN ( SELECT app.my_channels() AS my_channels)));

create policy system on public.scheduled_chat_messages as permissive for all to app_system using true;

create policy company on public.scheduled_messages as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.scheduled_messages as permissive for all to app_lookup using true;

create policy seen on public.scheduled_messages as restrictive for all to app_staff using (EXISTS ( SELECT
   FROM public.conversations
  WHERE ((conversations.company_id = scheduled_messages.company_id) AND (conversations.id = scheduled_messages.conversation_id))));

create policy staff on public.scheduled_messages as permissive for all to app_staff using true;

create policy system on public.scheduled_messages as permissive for all to app_system using true;

create policy lookup on public.second_factors as permissive for all to app_lookup using true;

create policy self on public.second_factors as permissive for select to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy staff on public.second_factors as permissive for select to app_staff using (EXISTS ( SELECT
   FROM public.memberships
  WHERE (memberships.user_id = second_factors.user_id)));

create policy company on public.sessions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.sessions as permissive for all to app_lookup using true;

create policy staff on public.sessions as permissive for all to app_staff using true;

create policy system on public.sessions as permissive for all to app_system using true;

create policy company on public.stages as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy leaders_delete on public.stages as restrictive for delete to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_insert on public.stages as restrictive for insert to app_staff with check ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy leaders_update on public.stages as restrictive for update to app_staff using ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role);

create policy lookup on public.stages as permissive for all to app_lookup using true;

create policy staff on public.stages as permissive for all to app_staff using true;

create policy system on public.stages as permissive for all to app_system using true;

create policy company on public.tags as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.tags as permissive for all to app_lookup using true;

create policy staff on public.tags as permissive for all to app_staff using true;

create policy system on public.tags as permissive for all to app_system using true;

create policy company on public.tasks as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.tasks as permissive for all to app_lookup using true;

create policy own_words on public.tasks as restrictive for insert to app_staff with check (created_by = ( SELECT app.user_id() AS user_id));

create policy staff on public.tasks as permissive for all to app_staff using (( SELECT app.sees_all() AS sees_all) OR (owner_id = ( SELECT app.user_id() AS user_id)) OR (created_by = ( SELECT app.user_id() AS user_id)) OR (given_by = ( SELECT app.user_id() AS user_id)) OR
CASE
    WHEN (conversation_id IS NOT NULL) THEN (EXISTS ( SELECT
       FROM public.conversations
      WHERE ((conversations.company_id = tasks.company_id) AND (conversations.id = tasks.conversation_id))))
    WHEN (mentee_id IS NOT NULL) THEN (EXISTS ( SELECT
       FROM public.mentees
      WHERE ((mentees.company_id = tasks.company_id) AND (mentees.id = tasks.mentee_id))))
    WHEN (lead_id IS NOT NULL) THEN (EXISTS ( SELECT
       FROM public.leads
      WHERE ((leads.company_id = tasks.company_id) AND (leads.id = tasks.lead_id))))
    ELSE (client_id IS NOT NULL)
END) with check true;

create policy system on public.tasks as permissive for all to app_system using true;

create policy lookup on public.unrouted_webhooks as permissive for all to app_lookup using true;

create policy lookup on public.users as permissive for all to app_lookup using true;

create policy self on public.users as permissive for all to app_student using (id = ( SELECT app.user_id() AS user_id));

create policy staff on public.users as permissive for all to app_staff using (EXISTS ( SELECT
   FROM public.memberships
  WHERE (memberships.user_id = users.id)));

create policy system on public.users as permissive for all to app_system using (EXISTS ( SELECT
   FROM public.memberships
  WHERE (memberships.user_id = users.id)));

create policy changes on public.views as restrictive for update to app_staff using true with check ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)));

create policy company on public.views as restrictive for all to public using (company_id = ( SELECT app.company_id() AS company_id));

create policy deletes on public.views as restrictive for delete to app_staff using ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)));

create policy lookup on public.views as permissive for all to app_lookup using true;

create policy own_or_shared on public.views as restrictive for insert to app_staff with check ((owner_id = ( SELECT app.user_id() AS user_id)) OR ((owner_id IS NULL) AND ( SELECT app.has_role(VARIADIC ARRAY['supervisor'::text, 'admin'::text]) AS has_role)));

create policy sight on public.views as restrictive for select to app_staff using ((owner_id IS NULL) OR (owner_id = ( SELECT app.user_id() AS user_id)));

create policy staff on public.views as permissive for all to app_staff using true;

create policy system on public.views as permissive for all to app_system using true;

create policy company on public.web_push_subscriptions as restrictive for all to app_staff, app_student, app_system using (company_id = ( SELECT app.company_id() AS company_id));

create policy lookup on public.web_push_subscriptions as permissive for all to app_lookup using true;

create policy staff on public.web_push_subscriptions as permissive for all to app_staff using (user_id = ( SELECT app.user_id() AS user_id));

create policy student on public.web_push_subscriptions as permissive for all to app_student using (user_id = ( SELECT app.user_id() AS user_id));

create policy system on public.web_push_subscriptions as permissive for all to app_system using true;

-- grants

grant update on column public.ai_runs.feedback to app_staff;
grant update on column public.ai_runs.feedback_note to app_staff;
grant update on column public.ai_runs.reason to app_lookup;
grant update on column public.ai_runs.settled_at to app_lookup;
grant update on column public.ai_runs.status to app_lookup;
grant insert, update on column public.bot_config.description to app_staff;
grant insert, update on column public.bot_config.is_active to app_staff;
grant insert on column public.bot_config.key to app_staff;
grant insert, update on column public.bot_config.updated_at to app_staff;
grant insert, update on column public.bot_config.value to app_staff;
grant insert, update on column public.bot_flows.author_id to app_staff;
grant select on column public.bot_flows.company_id to app_system;
grant insert, update on column public.bot_flows.definition to app_staff;
grant select on column public.bot_flows.definition to app_system;
grant insert on column public.bot_flows.id to app_staff;
grant select on column public.bot_flows.id to app_system;
grant insert on column public.bot_flows.key to app_staff;
grant select on column public.bot_flows.key to app_system;
grant insert, update on column public.bot_flows.name to app_staff;
grant select on column public.bot_flows.name to app_system;
grant insert on column public.bot_flows.number to app_staff;
grant select on column public.bot_flows.number to app_system;
grant insert on column public.bot_flows.published_at to app_staff;
grant select on column public.bot_flows.published_at to app_system;
grant select on column public.bot_flows.removed_at to app_system;
grant update on column public.bot_flows.removed_at to app_staff;
grant insert on column public.bot_flows.restored_from to app_staff;
grant update on column public.bot_flows.updated_at to app_staff;
grant insert, update on column public.bot_flows.version to app_staff;
grant insert on column public.calendars.department_id to app_staff;
grant insert on column public.calendars.id to app_staff;
grant insert, update on column public.calendars.keeps_optional to app_staff;
grant insert, update on column public.calendars.time_zone to app_staff;
grant update on column public.calendars.updated_at to app_staff;
grant update on column public.calendars.version to app_staff;
grant insert, update on column public.calendars.week to app_staff;
grant insert, update on column public.channel_accounts.account_key to app_staff;
grant select on column public.channel_accounts.account_key to app_system;
grant insert, update on column public.channel_accounts.bot_flow_id to app_staff;
grant select on column public.channel_accounts.bot_flow_id to app_system;
grant update on column public.channel_accounts.bot_flow_id to app_lookup;
grant select on column public.channel_accounts.company_id to app_system;
grant select on column public.channel_accounts.created_at to app_system;
grant insert, update on column public.channel_accounts.department_id to app_staff;
grant select on column public.channel_accounts.department_id to app_system;
grant update on column public.channel_accounts.department_id to app_lookup;
grant select on column public.channel_accounts.display_number to app_system;
grant update on column public.channel_accounts.display_number to app_staff;
grant insert, update on column public.channel_accounts.external_key to app_staff;
grant select on column public.channel_accounts.external_key to app_system;
grant insert on column public.channel_accounts.id to app_staff;
grant select on column public.channel_accounts.id to app_system;
grant update on column public.channel_accounts.instance_id to app_lookup;
grant update on column public.channel_accounts.instance_id to app_staff;
grant insert on column public.channel_accounts.kind to app_staff;
grant select on column public.channel_accounts.kind to app_system;
grant insert, update on column public.channel_accounts.name to app_staff;
grant select on column public.channel_accounts.name to app_system;
grant update on column public.channel_accounts.previous_key to app_staff;
grant update on column public.channel_accounts.previous_key_until to app_staff;
grant update on column public.channel_accounts.removed_at to app_staff;
grant insert, update on column public.channel_accounts.settings to app_staff;
grant select on column public.channel_accounts.settings to app_system;
grant insert, update on column public.channel_accounts.state to app_staff;
grant insert, update on column public.channel_accounts.status to app_staff;
grant select on column public.channel_accounts.status to app_system;
grant select on column public.channel_accounts.version to app_system;
grant update on column public.channel_accounts.version to app_lookup;
grant update on column public.channel_accounts.version to app_staff;
grant insert on column public.channel_credentials.channel_account_id to app_staff;
grant select on column public.channel_credentials.channel_account_id to app_system;
grant select on column public.channel_credentials.company_id to app_system;
grant insert, update on column public.channel_credentials.sealed to app_staff;
grant select on column public.channel_credentials.sealed to app_system;
grant update on column public.channel_members.draft to app_staff;
grant update on column public.channel_members.drafted_at to app_staff;
grant update on column public.channel_members.is_favorite to app_staff;
grant update on column public.channel_members.is_hidden to app_staff;
grant update on column public.channel_members.is_muted to app_staff;
grant update on column public.channel_members.level to app_staff;
grant update on column public.channel_members.muted_until to app_staff;
grant update on column public.channel_members.read_place to app_staff;
grant select on column public.channel_notices.at to app_system;
grant select on column public.channel_notices.channel_account_id to app_system;
grant select on column public.channel_notices.code to app_system;
grant select on column public.channel_notices.company_id to app_system;
grant select on column public.channel_notices.content to app_system;
grant select on column public.channel_notices.created_at to app_system;
grant select on column public.channel_notices.id to app_system;
grant select on column public.channel_notices.text to app_system;
grant update on column public.channels.archived_at to app_staff;
grant update on column public.channels.is_announcement to app_staff;
grant update on column public.channels.name to app_staff;
grant update on column public.channels.name_key to app_staff;
grant update on column public.channels.topic to app_staff;
grant update on column public.channels.updated_at to app_staff;
grant update on column public.channels.version to app_staff;
grant insert on column public.chat_messages.author_id to app_staff;
grant insert on column public.chat_messages.author_id to app_system;
grant insert on column public.chat_messages.body to app_system;
grant insert, update on column public.chat_messages.body to app_staff;
grant insert on column public.chat_messages.cards to app_staff;
grant insert on column public.chat_messages.cards to app_system;
grant insert on column public.chat_messages.channel_id to app_staff;
grant insert on column public.chat_messages.channel_id to app_system;
grant insert on column public.chat_messages.client_message_id to app_staff;
grant insert on column public.chat_messages.client_message_id to app_system;
grant update on column public.chat_messages.deleted_at to app_staff;
grant update on column public.chat_messages.deleted_by_id to app_staff;
grant update on column public.chat_messages.edited_at to app_staff;
grant insert on column public.chat_messages.file_ids to app_staff;
grant insert on column public.chat_messages.file_ids to app_system;
grant insert on column public.chat_messages.forwarded_author_id to app_staff;
grant insert on column public.chat_messages.forwarded_author_id to app_system;
grant insert on column public.chat_messages.forwarded_from_id to app_staff;
grant insert on column public.chat_messages.forwarded_from_id to app_system;
grant insert on column public.chat_messages.id to app_staff;
grant insert on column public.chat_messages.id to app_system;
grant insert on column public.chat_messages.is_in_channel to app_staff;
grant insert on column public.chat_messages.is_in_channel to app_system;
grant insert on column public.chat_messages.mentions to app_system;
grant insert, update on column public.chat_messages.mentions to app_staff;
grant insert on column public.chat_messages.quote_id to app_staff;
grant insert on column public.chat_messages.quote_id to app_system;
grant insert on column public.chat_messages.root_id to app_staff;
grant insert on column public.chat_messages.root_id to app_system;
grant insert on column public.chat_pins.channel_id to app_staff;
grant insert on column public.chat_pins.message_id to app_staff;
grant insert on column public.chat_reactions.emoji to app_staff;
grant insert on column public.chat_reactions.message_id to app_staff;
grant insert on column public.chat_thread_followers.channel_id to app_staff;
grant insert, update on column public.chat_thread_followers.has_chosen to app_staff;
grant insert, update on column public.chat_thread_followers.is_following to app_staff;
grant insert, update on column public.chat_thread_followers.read_place to app_staff;
grant insert on column public.chat_thread_followers.root_id to app_staff;
grant select on column public.client_consents.at to app_system;
grant select on column public.client_consents.channel to app_system;
grant select, update on column public.client_consents.client_id to app_system;
grant update on column public.client_consents.client_id to app_lookup;
grant select on column public.client_consents.company_id to app_system;
grant select on column public.client_consents.created_at to app_system;
grant select on column public.client_consents.granted to app_system;
grant select on column public.client_consents.id to app_system;
grant select on column public.client_consents.proof to app_system;
grant select on column public.client_consents.purpose to app_system;
grant select on column public.client_consents.source to app_system;
grant insert on column public.client_fields.company_id to app_staff;
grant update on column public.client_fields.fields to app_staff;
grant update on column public.client_fields.kinds to app_staff;
grant update on column public.client_fields.version to app_staff;
grant insert on column public.client_files.client_id to app_staff;
grant update on column public.client_files.client_id to app_lookup;
grant insert on column public.client_files.file_id to app_staff;
grant update on column public.client_files.moved_from to app_lookup;
grant insert on column public.client_identities.address to app_staff;
grant select on column public.client_identities.address to app_system;
grant insert on column public.client_identities.client_id to app_staff;
grant select on column public.client_identities.client_id to app_system;
grant update on column public.client_identities.client_id to app_lookup;
grant select on column public.client_identities.company_id to app_system;
grant select on column public.client_identities.created_at to app_system;
grant insert on column public.client_identities.kind to app_staff;
grant select on column public.client_identities.kind to app_system;
grant select on column public.client_identities.seen_at to app_system;
grant insert on column public.client_identities.value to app_staff;
grant select on column public.client_identities.value to app_system;
grant update on column public.client_import_rows.is_undone to app_system;
grant update on column public.client_imports.error_count to app_system;
grant update on column public.client_imports.errors to app_system;
grant update on column public.client_imports.failed to app_system;
grant update on column public.client_imports.fault to app_system;
grant insert on column public.client_imports.file_id to app_staff;
grant insert on column public.client_imports.file_name to app_staff;
grant update on column public.client_imports.finished_at to app_system;
grant update on column public.client_imports.headers to app_system;
grant insert on column public.client_imports.id to app_staff;
grant insert on column public.client_imports.is_dry_run to app_staff;
grant update on column public.client_imports.kept to app_system;
grant update on column public.client_imports.made to app_system;
grant insert on column public.client_imports.mapping to app_staff;
grant update on column public.client_imports.mapping to app_system;
grant insert on column public.client_imports.on_existing to app_staff;
grant update on column public.client_imports.removed to app_system;
grant update on column public.client_imports.restored to app_system;
grant update on column public.client_imports.skipped to app_system;
grant update on column public.client_imports.state to app_system;
grant update on column public.client_imports.undo_job_id to app_staff;
grant update on column public.client_imports.undo_job_id to app_system;
grant update on column public.client_imports.undone_at to app_system;
grant update on column public.client_imports.undone_by to app_staff;
grant update on column public.client_imports.updated to app_system;
grant select on column public.client_merges.at to app_system;
grant select on column public.client_merges.client_id to app_system;
grant select on column public.client_merges.company_id to app_system;
grant select on column public.client_merges.id to app_system;
grant select on column public.client_merges.merged_client_id to app_system;
grant select on column public.client_merges.proof to app_system;
grant select on column public.client_merges.undo to app_system;
grant update on column public.client_merges.undone_at to app_lookup;
grant update on column public.client_merges.undone_by_id to app_lookup;
grant update on column public.clients.archived_at to app_lookup;
grant update on column public.clients.archived_at to app_staff;
grant update on column public.clients.blocked_at to app_lookup;
grant update on column public.clients.blocked_count to app_lookup;
grant select on column public.clients.company_id to app_system;
grant select on column public.clients.created_at to app_system;
grant insert, update on column public.clients.custom_fields to app_staff;
grant select on column public.clients.custom_fields to app_system;
grant insert, update on column public.clients.document to app_staff;
grant select on column public.clients.document to app_system;
grant insert, update on column public.clients.email to app_staff;
grant select on column public.clients.email to app_system;
grant insert on column public.clients.id to app_staff;
grant select on column public.clients.id to app_system;
grant select on column public.clients.merged_into_id to app_system;
grant update on column public.clients.merged_into_id to app_lookup;
grant insert, update on column public.clients.metadata to app_staff;
grant select on column public.clients.metadata to app_system;
grant insert, update on column public.clients.name to app_staff;
grant select on column public.clients.name to app_system;
grant select on column public.clients.name_source to app_system;
grant update on column public.clients.name_source to app_staff;
grant select on column public.clients.name_told_at to app_system;
grant insert, update on column public.clients.tags to app_staff;
grant select on column public.clients.tags to app_system;
grant update on column public.clients.tags to app_lookup;
grant select on column public.clients.version to app_system;
grant update on column public.clients.version to app_lookup;
grant update on column public.clients.version to app_staff;
grant select on column public.companies.agent_visibility to app_system;
grant update on column public.companies.agent_visibility to app_staff;
grant select, update on column public.companies.asks_rating to app_staff;
grant update on column public.companies.bot_enabled to app_staff;
grant update on column public.companies.breaks to app_staff;
grant update on column public.companies.coin_name to app_staff;
grant update on column public.companies.colour to app_staff;
grant select on column public.companies.created_at to app_system;
grant select on column public.companies.feature_flags to app_system;
grant update on column public.companies.front_end_url to app_staff;
grant select on column public.companies.id to app_system;
grant update on column public.companies.idle_minutes to app_staff;
grant select on column public.companies.locale to app_system;
grant update on column public.companies.locale to app_staff;
grant select on column public.companies.name to app_system;
grant update on column public.companies.name to app_staff;
grant update on column public.companies.push_shows_text to app_staff;
grant select, update on column public.companies.rating_text to app_staff;
grant select on column public.companies.reopen_window to app_system;
grant update on column public.companies.reopen_window to app_staff;
grant update on column public.companies.signs_messages to app_staff;
grant select on column public.companies.slug to app_system;
grant select on column public.companies.takeover_text to app_system;
grant select, update on column public.companies.takeover_text to app_staff;
grant select on column public.companies.time_zone to app_system;
grant update on column public.companies.time_zone to app_staff;
grant update on column public.companies.two_factor_policy to app_staff;
grant update on column public.companies.version to app_staff;
grant insert on column public.company_emoji.file_id to app_staff;
grant insert on column public.company_emoji.id to app_staff;
grant insert on column public.company_emoji.name to app_staff;
grant insert on column public.company_secrets.name to app_staff;
grant insert, update on column public.company_secrets.sealed to app_staff;
grant update on column public.company_setup.ai_base_url to app_staff;
grant update on column public.company_setup.ai_key_hint to app_staff;
grant update on column public.company_setup.ai_model to app_staff;
grant insert on column public.company_setup.company_id to app_staff;
grant update on column public.company_setup.made to app_staff;
grant update on column public.company_setup.version to app_staff;
grant insert on column public.conversation_handlers.company_id to app_staff;
grant select on column public.conversation_handlers.company_id to app_system;
grant insert on column public.conversation_handlers.conversation_id to app_staff;
grant select on column public.conversation_handlers.conversation_id to app_system;
grant insert on column public.conversation_handlers.user_id to app_staff;
grant select on column public.conversation_handlers.user_id to app_system;
grant insert on column public.conversation_preferences.conversation_id to app_staff;
grant update on column public.conversation_preferences.conversation_id to app_lookup;
grant update on column public.conversation_preferences.moved_from to app_lookup;
grant insert, update on column public.conversation_preferences.muted_until to app_staff;
grant insert on column public.conversation_transfers.at to app_staff;
grant select on column public.conversation_transfers.at to app_system;
grant insert on column public.conversation_transfers.by_user_id to app_staff;
grant select on column public.conversation_transfers.by_user_id to app_system;
grant insert on column public.conversation_transfers.company_id to app_staff;
grant select on column public.conversation_transfers.company_id to app_system;
grant insert on column public.conversation_transfers.conversation_id to app_staff;
grant select, update on column public.conversation_transfers.conversation_id to app_system;
grant update on column public.conversation_transfers.conversation_id to app_lookup;
grant insert on column public.conversation_transfers.from_department_id to app_staff;
grant select on column public.conversation_transfers.from_department_id to app_system;
grant insert on column public.conversation_transfers.from_user_id to app_staff;
grant select on column public.conversation_transfers.from_user_id to app_system;
grant insert on column public.conversation_transfers.id to app_staff;
grant select on column public.conversation_transfers.id to app_system;
grant insert on column public.conversation_transfers.reason to app_staff;
grant select on column public.conversation_transfers.reason to app_system;
grant insert on column public.conversation_transfers.to_department_id to app_staff;
grant select on column public.conversation_transfers.to_department_id to app_system;
grant insert on column public.conversation_transfers.to_user_id to app_staff;
grant select on column public.conversation_transfers.to_user_id to app_system;
grant select on column public.conversations.assignee_id to app_system;
grant update on column public.conversations.assignee_id to app_staff;
grant select on column public.conversations.bot_answered to app_system;
grant select on column public.conversations.bot_fields to app_system;
grant select on column public.conversations.bot_flow_id to app_system;
grant select on column public.conversations.bot_job_id to app_system;
grant select on column public.conversations.bot_misses to app_system;
grant select on column public.conversations.bot_node to app_system;
grant update on column public.conversations.bot_node to app_lookup;
grant update on column public.conversations.bot_node to app_staff;
grant select on column public.conversations.bot_turns to app_system;
grant select on column public.conversations.channel_account_id to app_system;
grant select on column public.conversations.client_id to app_system;
grant select on column public.conversations.close_reason to app_system;
grant update on column public.conversations.close_reason to app_lookup;
grant update on column public.conversations.close_reason to app_staff;
grant select on column public.conversations.company_id to app_system;
grant select on column public.conversations.department_id to app_system;
grant update on column public.conversations.department_id to app_staff;
grant select on column public.conversations.ended_at to app_system;
grant update on column public.conversations.ended_at to app_lookup;
grant update on column public.conversations.ended_at to app_staff;
grant select on column public.conversations.first_human_at to app_system;
grant update on column public.conversations.first_human_at to app_staff;
grant select on column public.conversations.first_pending_at to app_system;
grant update on column public.conversations.held_count to app_lookup;
grant select on column public.conversations.id to app_system;
grant select on column public.conversations.inbound_count to app_system;
grant select on column public.conversations.last_message_at to app_system;
grant update on column public.conversations.last_message_at to app_lookup;
grant update on column public.conversations.last_message_at to app_staff;
grant select on column public.conversations.last_message_from to app_system;
grant update on column public.conversations.last_message_from to app_lookup;
grant update on column public.conversations.last_message_from to app_staff;
grant select on column public.conversations.last_message_id to app_system;
grant update on column public.conversations.last_message_id to app_lookup;
grant update on column public.conversations.last_message_id to app_staff;
grant select on column public.conversations.last_message_preview to app_system;
grant update on column public.conversations.last_message_preview to app_lookup;
grant update on column public.conversations.last_message_preview to app_staff;
grant select on column public.conversations.merged_into_id to app_system;
grant update on column public.conversations.merged_into_id to app_lookup;
grant select on column public.conversations.metadata to app_system;
grant update on column public.conversations.metadata to app_staff;
grant select on column public.conversations.mode to app_system;
grant update on column public.conversations.mode to app_lookup;
grant update on column public.conversations.mode to app_staff;
grant update on column public.conversations.participant_ids to app_staff;
grant select on column public.conversations.pending_since to app_system;
grant select on column public.conversations.priority to app_system;
grant update on column public.conversations.priority to app_staff;
grant update on column public.conversations.rating_message_id to app_staff;
grant select on column public.conversations.read_count to app_system;
grant update on column public.conversations.read_count to app_lookup;
grant update on column public.conversations.read_count to app_staff;
grant update on column public.conversations.return_to_bot_at to app_staff;
grant select on column public.conversations.revision to app_system;
grant update on column public.conversations.snoozed_at to app_staff;
grant update on column public.conversations.snoozed_until to app_staff;
grant select on column public.conversations.started_at to app_system;
grant select on column public.conversations.status to app_system;
grant select on column public.conversations.subject to app_system;
grant update on column public.conversations.subject to app_staff;
grant select on column public.conversations.tags to app_system;
grant update on column public.conversations.tags to app_lookup;
grant update on column public.conversations.tags to app_staff;
grant select on column public.conversations.version to app_system;
grant update on column public.conversations.version to app_lookup;
grant update on column public.conversations.version to app_staff;
grant select on column public.conversations.window_expires_at to app_system;
grant update on column public.crm_conflicts.resolution to app_staff;
grant update on column public.crm_conflicts.resolved_at to app_staff;
grant update on column public.crm_conflicts.resolved_by_id to app_staff;
grant insert, update on column public.crm_connections.base_url to app_staff;
grant update on column public.crm_connections.failures to app_staff;
grant insert, update on column public.crm_connections.fields to app_staff;
grant insert on column public.crm_connections.id to app_staff;
grant insert, update on column public.crm_connections.key_hint to app_staff;
grant insert on column public.crm_connections.kind to app_staff;
grant update on column public.crm_connections.last_error to app_staff;
grant insert, update on column public.crm_connections.name to app_staff;
grant update on column public.crm_connections.paused_until to app_staff;
grant insert, update on column public.crm_connections.status to app_staff;
grant update on column public.crm_connections.version to app_staff;
grant update on column public.crm_records.agreed to app_lookup;
grant update on column public.crm_records.agreed to app_staff;
grant update on column public.crm_records.asked_at to app_staff;
grant update on column public.crm_records.attempts to app_staff;
grant update on column public.crm_records.came_with to app_lookup;
grant update on column public.crm_records.crm_id to app_staff;
grant update on column public.crm_records.gone_at to app_staff;
grant update on column public.crm_records.lead_id to app_lookup;
grant update on column public.crm_records.lead_version to app_lookup;
grant update on column public.crm_records.lead_version to app_staff;
grant update on column public.crm_records.refused to app_staff;
grant insert, update on column public.department_members.capacity to app_staff;
grant select on column public.department_members.company_id to app_system;
grant insert on column public.department_members.department_id to app_staff;
grant select on column public.department_members.department_id to app_system;
grant update on column public.department_members.last_assigned_at to app_system;
grant insert on column public.department_members.user_id to app_staff;
grant select on column public.department_members.user_id to app_system;
grant insert, update on column public.departments.assignment to app_staff;
grant insert, update on column public.departments.capacity to app_staff;
grant select on column public.departments.company_id to app_student;
grant select on column public.departments.company_id to app_system;
grant select on column public.departments.created_at to app_system;
grant update on column public.departments.deleted_at to app_staff;
grant insert, update on column public.departments.description to app_staff;
grant select on column public.departments.description to app_system;
grant insert on column public.departments.id to app_staff;
grant select on column public.departments.id to app_student;
grant select on column public.departments.id to app_system;
grant update on column public.departments.moved_to_id to app_lookup;
grant update on column public.departments.moved_to_id to app_staff;
grant insert, update on column public.departments.name to app_staff;
grant select on column public.departments.name to app_student;
grant select on column public.departments.name to app_system;
grant select on column public.departments.version to app_system;
grant update on column public.departments.version to app_lookup;
grant update on column public.departments.version to app_staff;
grant insert on column public.evolution_instances.channel_account_id to app_staff;
grant insert on column public.evolution_instances.made_at to app_staff;
grant insert, update on column public.evolution_instances.problem to app_staff;
grant insert on column public.evolution_instances.told_at to app_staff;
grant update on column public.evolution_instances.webhook_at to app_staff;
grant select on column public.feed_epochs.started_at to app_system;
grant select on column public.feed_epochs.swept to app_system;
grant select on column public.feed_epochs.system_identifier to app_system;
grant select on column public.feed_epochs.value to app_system;
grant select on column public.files.company_id to app_system;
grant select on column public.files.completed_at to app_system;
grant update on column public.files.completed_at to app_staff;
grant update on column public.files.completed_at to app_student;
grant insert on column public.files.conversation_id to app_student;
grant insert, update on column public.files.conversation_id to app_staff;
grant select on column public.files.conversation_id to app_system;
grant update on column public.files.conversation_id to app_lookup;
grant select on column public.files.created_at to app_system;
grant select on column public.files.duration_ms to app_system;
grant update on column public.files.duration_ms to app_staff;
grant update on column public.files.duration_ms to app_student;
grant select on column public.files.failure to app_system;
grant update on column public.files.failure to app_staff;
grant update on column public.files.failure to app_student;
grant select on column public.files.height to app_system;
grant update on column public.files.height to app_staff;
grant update on column public.files.height to app_student;
grant insert on column public.files.id to app_staff;
grant insert on column public.files.id to app_student;
grant select on column public.files.id to app_system;
grant insert, update on column public.files.mime_type to app_staff;
grant insert, update on column public.files.mime_type to app_student;
grant select on column public.files.mime_type to app_system;
grant insert, update on column public.files.name to app_staff;
grant insert, update on column public.files.name to app_student;
grant select on column public.files.name to app_system;
grant select on column public.files.provider_id to app_system;
grant insert on column public.files.purpose to app_staff;
grant insert on column public.files.purpose to app_student;
grant select on column public.files.sha256 to app_system;
grant update on column public.files.sha256 to app_staff;
grant update on column public.files.sha256 to app_student;
grant insert, update on column public.files.size to app_staff;
grant insert, update on column public.files.size to app_student;
grant select on column public.files.size to app_system;
grant select on column public.files.status to app_system;
grant update on column public.files.status to app_staff;
grant update on column public.files.status to app_student;
grant insert, update on column public.files.storage_key to app_staff;
grant insert, update on column public.files.storage_key to app_student;
grant select on column public.files.storage_key to app_system;
grant insert on column public.files.uploaded_by to app_staff;
grant insert on column public.files.uploaded_by to app_student;
grant select on column public.files.uploaded_by to app_system;
grant select on column public.files.width to app_system;
grant update on column public.files.width to app_staff;
grant update on column public.files.width to app_student;
grant update on column public.followup_executions.attempt to app_lookup;
grant update on column public.followup_executions.current_step to app_lookup;
grant update on column public.followup_executions.finished_at to app_lookup;
grant update on column public.followup_executions.finished_at to app_staff;
grant insert on column public.followup_executions.id to app_staff;
grant insert on column public.followup_executions.job_id to app_staff;
grant insert on column public.followup_executions.lead_id to app_staff;
grant update on column public.followup_executions.lead_id to app_lookup;
grant insert, update on column public.followup_executions.next_run_at to app_staff;
grant update on column public.followup_executions.next_run_at to app_lookup;
grant update on column public.followup_executions.reason to app_lookup;
grant update on column public.followup_executions.reason to app_staff;
grant update on column public.followup_executions.responded_at to app_lookup;
grant insert on column public.followup_executions.rotation to app_staff;
grant insert on column public.followup_executions.sequence_id to app_staff;
grant update on column public.followup_executions.status to app_lookup;
grant update on column public.followup_executions.status to app_staff;
grant insert, update on column public.followup_sequences.channel_account_id to app_staff;
grant insert, update on column public.followup_sequences.criteria to app_staff;
grant update on column public.followup_sequences.deleted_at to app_staff;
grant insert, update on column public.followup_sequences.description to app_staff;
grant insert on column public.followup_sequences.id to app_staff;
grant insert, update on column public.followup_sequences.is_active to app_staff;
grant insert, update on column public.followup_sequences.max_per_day to app_staff;
grant insert, update on column public.followup_sequences.name to app_staff;
grant insert, update on column public.followup_sequences.pause_holidays to app_staff;
grant insert, update on column public.followup_sequences.pause_weekends to app_staff;
grant insert, update on column public.followup_sequences.steps to app_staff;
grant update on column public.followup_sequences.updated_at to app_staff;
grant update on column public.followup_sequences.version to app_staff;
grant insert, update on column public.followup_sequences.weekdays to app_staff;
grant insert, update on column public.followup_sequences.window_end to app_staff;
grant insert, update on column public.followup_sequences.window_start to app_staff;
grant insert on column public.holidays.date to app_staff;
grant insert on column public.holidays.department_id to app_staff;
grant insert on column public.holidays.id to app_staff;
grant insert on column public.holidays.name to app_staff;
grant insert on column public.holidays.yearly to app_staff;
grant select on column public.idempotency_keys.body to app_system;
grant update on column public.idempotency_keys.body to app_staff;
grant update on column public.idempotency_keys.body to app_student;
grant select on column public.idempotency_keys.company_id to app_system;
grant select on column public.idempotency_keys.created_at to app_system;
grant insert on column public.idempotency_keys.key to app_staff;
grant insert on column public.idempotency_keys.key to app_student;
grant select on column public.idempotency_keys.key to app_system;
grant insert on column public.idempotency_keys.request_hash to app_staff;
grant insert on column public.idempotency_keys.request_hash to app_student;
grant select on column public.idempotency_keys.request_hash to app_system;
grant insert on column public.idempotency_keys.route to app_staff;
grant insert on column public.idempotency_keys.route to app_student;
grant select on column public.idempotency_keys.route to app_system;
grant select on column public.idempotency_keys.status to app_system;
grant update on column public.idempotency_keys.status to app_staff;
grant update on column public.idempotency_keys.status to app_student;
grant select on column public.idempotency_keys.user_id to app_system;
grant update on column public.inbound_webhooks.applied_at to app_system;
grant update on column public.inbound_webhooks.failed_items to app_system;
grant update on column public.inbound_webhooks.left_at to app_system;
grant update on column public.inbound_webhooks.outcome to app_system;
grant select on column public.integration_calls.at to app_system;
grant select on column public.integration_calls.channel_account_id to app_system;
grant select on column public.integration_calls.company_id to app_system;
grant select on column public.integration_calls.cost to app_system;
grant select on column public.integration_calls.currency to app_system;
grant select on column public.integration_calls.error_code to app_system;
grant select on column public.integration_calls.id to app_system;
grant select on column public.integration_calls.operation to app_system;
grant select on column public.integration_calls.provider to app_system;
grant select on column public.integration_calls.status to app_system;
grant select on column public.integration_calls.took_ms to app_system;
grant insert on column public.integration_prices.company_id to app_staff;
grant update on column public.integration_prices.currency to app_staff;
grant update on column public.integration_prices.message_prices to app_staff;
grant update on column public.integration_prices.prices to app_staff;
grant update on column public.integration_prices.version to app_staff;
grant insert on column public.invites.department_ids to app_staff;
grant insert on column public.invites.email to app_staff;
grant update on column public.invites.expires_at to app_staff;
grant insert on column public.invites.id to app_staff;
grant insert on column public.invites.name to app_staff;
grant update on column public.invites.revoked_at to app_staff;
grant insert on column public.invites.role to app_staff;
grant update on column public.invites.sent_at to app_staff;
grant update on column public.job_progress.done to app_system;
grant update on column public.job_progress.failed to app_system;
grant update on column public.job_progress.finished_at to app_system;
grant insert on column public.job_progress.id to app_staff;
grant insert on column public.job_progress.key to app_staff;
grant insert on column public.job_progress.kind to app_staff;
grant update on column public.job_progress.place to app_system;
grant update on column public.job_progress.reason to app_system;
grant update on column public.job_progress.result to app_system;
grant update on column public.job_progress.state to app_staff;
grant update on column public.job_progress.state to app_system;
grant update on column public.job_progress.told_at to app_system;
grant insert on column public.job_progress.total to app_staff;
grant update on column public.job_progress.total to app_system;
grant select on column public.jobs.attempts to app_staff;
grant select on column public.jobs.company_id to app_staff;
grant select on column public.jobs.created_at to app_staff;
grant select on column public.jobs.failed to app_staff;
grant select on column public.jobs.finished_at to app_staff;
grant select on column public.jobs.id to app_staff;
grant select on column public.jobs.kind to app_staff;
grant select on column public.jobs.lane to app_staff;
grant update on column public.jobs.lane to app_lookup;
grant select on column public.jobs.last_error to app_staff;
grant select on column public.jobs.payload to app_staff;
grant select on column public.jobs.queue to app_staff;
grant select on column public.jobs.retried_at to app_staff;
grant select on column public.jobs.retries to app_staff;
grant insert, update on column public.knowledge_articles.answer to app_staff;
grant update on column public.knowledge_articles.answer to app_system;
grant insert, update on column public.knowledge_articles.audience to app_staff;
grant update on column public.knowledge_articles.audience to app_system;
grant update on column public.knowledge_articles.author_id to app_staff;
grant update on column public.knowledge_articles.author_id to app_system;
grant update on column public.knowledge_articles.helped to app_lookup;
grant insert on column public.knowledge_articles.id to app_staff;
grant update on column public.knowledge_articles.last_used_at to app_lookup;
grant insert, update on column public.knowledge_articles.lines to app_staff;
grant update on column public.knowledge_articles.lines to app_system;
grant update on column public.knowledge_articles.not_helped to app_lookup;
grant insert, update on column public.knowledge_articles.questions to app_staff;
grant update on column public.knowledge_articles.questions to app_system;
grant update on column public.knowledge_articles.removed_at to app_staff;
grant update on column public.knowledge_articles.removed_at to app_system;
grant update on column public.knowledge_articles.restored_from to app_staff;
grant update on column public.knowledge_articles.restored_from to app_system;
grant insert on column public.knowledge_articles.source to app_staff;
grant update on column public.knowledge_articles.source to app_system;
grant insert, update on column public.knowledge_articles.status to app_staff;
grant update on column public.knowledge_articles.status to app_system;
grant insert, update on column public.knowledge_articles.tags to app_staff;
grant update on column public.knowledge_articles.tags to app_system;
grant insert, update on column public.knowledge_articles.terms to app_staff;
grant update on column public.knowledge_articles.terms to app_system;
grant insert, update on column public.knowledge_articles.title to app_staff;
grant update on column public.knowledge_articles.title to app_system;
grant update on column public.knowledge_articles.updated_at to app_staff;
grant update on column public.knowledge_articles.updated_at to app_system;
grant insert, update on column public.knowledge_articles.valid_from to app_staff;
grant update on column public.knowledge_articles.valid_from to app_system;
grant insert, update on column public.knowledge_articles.valid_until to app_staff;
grant update on column public.knowledge_articles.valid_until to app_system;
grant update on column public.knowledge_articles.version to app_staff;
grant update on column public.knowledge_articles.version to app_system;
grant insert, update on column public.knowledge_articles.weights to app_staff;
grant update on column public.knowledge_articles.weights to app_system;
grant insert on column public.knowledge_embeddings.article_id to app_system;
grant insert, update on column public.knowledge_embeddings.embedding to app_system;
grant insert, update on column public.knowledge_embeddings.model to app_system;
grant insert, update on column public.knowledge_embeddings.signs to app_system;
grant insert, update on column public.knowledge_embeddings.version to app_system;
grant update on column public.knowledge_import_rows.is_undone to app_system;
grant insert on column public.knowledge_misses.audience to app_staff;
grant insert on column public.knowledge_misses.query to app_staff;
grant insert on column public.knowledge_misses.score to app_staff;
grant insert on column public.knowledge_misses.terms to app_staff;
grant update on column public.knowledge_proposals.decided_at to app_staff;
grant update on column public.knowledge_proposals.decided_by to app_staff;
grant update on column public.knowledge_proposals.result_id to app_staff;
grant update on column public.knowledge_proposals.state to app_staff;
grant insert on column public.knowledge_synonyms.company_id to app_staff;
grant update on column public.knowledge_synonyms.groups to app_staff;
grant update on column public.knowledge_synonyms.phrases to app_staff;
grant update on column public.knowledge_synonyms.version to app_staff;
grant insert on column public.knowledge_uses.article_id to app_staff;
grant insert on column public.knowledge_uses.conversation_id to app_staff;
grant insert, update on column public.knowledge_uses.helped to app_staff;
grant update on column public.knowledge_uses.helped to app_system;
grant insert on column public.knowledge_uses.id to app_staff;
grant insert, update on column public.knowledge_uses.query to app_staff;
grant update on column public.knowledge_uses.query to app_system;
grant update on column public.lead_automations.at to app_system;
grant update on column public.lead_automations.execution_id to app_system;
grant update on column public.lead_automations.message_id to app_system;
grant update on column public.lead_automations.outcome to app_system;
grant update on column public.lead_automations.reason to app_system;
grant update on column public.lead_automations.task_id to app_system;
grant insert on column public.lead_fields.company_id to app_staff;
grant update on column public.lead_fields.fields to app_staff;
grant update on column public.lead_fields.kinds to app_staff;
grant update on column public.lead_fields.version to app_staff;
grant update on column public.lead_import_rows.is_undone to app_system;
grant insert on column public.lead_imports.closer_id to app_staff;
grant update on column public.lead_imports.error_count to app_system;
grant update on column public.lead_imports.errors to app_system;
grant update on column public.lead_imports.failed to app_system;
grant update on column public.lead_imports.fault to app_system;
grant insert on column public.lead_imports.file_id to app_staff;
grant insert on column public.lead_imports.file_name to app_staff;
grant update on column public.lead_imports.finished_at to app_system;
grant update on column public.lead_imports.headers to app_system;
grant insert on column public.lead_imports.id to app_staff;
grant insert on column public.lead_imports.is_dry_run to app_staff;
grant update on column public.lead_imports.kept to app_system;
grant update on column public.lead_imports.made to app_system;
grant insert on column public.lead_imports.mapping to app_staff;
grant update on column public.lead_imports.mapping to app_system;
grant insert on column public.lead_imports.on_existing to app_staff;
grant insert on column public.lead_imports.pipeline_id to app_staff;
grant update on column public.lead_imports.removed to app_system;
grant update on column public.lead_imports.restored to app_system;
grant update on column public.lead_imports.skipped to app_system;
grant insert on column public.lead_imports.stage_id to app_staff;
grant update on column public.lead_imports.state to app_system;
grant update on column public.lead_imports.undo_job_id to app_staff;
grant update on column public.lead_imports.undo_job_id to app_system;
grant update on column public.lead_imports.undone_at to app_system;
grant update on column public.lead_imports.undone_by to app_staff;
grant update on column public.lead_imports.updated to app_system;
grant insert on column public.lead_interactions.at to app_staff;
grant insert on column public.lead_interactions.details to app_staff;
grant insert on column public.lead_interactions.id to app_staff;
grant insert, update on column public.lead_interactions.lead_id to app_staff;
grant update on column public.lead_interactions.lead_id to app_lookup;
grant insert on column public.lead_interactions.next_step to app_staff;
grant insert on column public.lead_interactions.result to app_staff;
grant insert on column public.lead_interactions.source to app_staff;
grant insert on column public.lead_interactions.summary to app_staff;
grant insert on column public.lead_interactions.type to app_staff;
grant insert on column public.lead_merges.id to app_staff;
grant insert on column public.lead_merges.lead_id to app_staff;
grant insert on column public.lead_merges.merged_id to app_staff;
grant insert on column public.lead_merges.undo to app_staff;
grant update on column public.lead_merges.undone_at to app_staff;
grant update on column public.lead_merges.undone_by_id to app_staff;
grant insert on column public.lead_scoring.rules to app_staff;
grant insert on column public.lead_scoring.version to app_staff;
grant update on column public.lead_stages.lead_id to app_lookup;
grant update on column public.lead_stages.left_at to app_lookup;
grant update on column public.leads.authority_level to app_staff;
grant update on column public.leads.budget_amount to app_staff;
grant update on column public.leads.budget_confirmed to app_staff;
grant insert on column public.leads.campaign to app_system;
grant insert, update on column public.leads.campaign to app_staff;
grant insert on column public.leads.client_id to app_system;
grant insert, update on column public.leads.client_id to app_staff;
grant update on column public.leads.client_id to app_lookup;
grant insert on column public.leads.close_reason to app_system;
grant update on column public.leads.close_reason to app_staff;
grant insert on column public.leads.closer_id to app_system;
grant insert, update on column public.leads.closer_id to app_staff;
grant insert on column public.leads.created_by_id to app_staff;
grant insert on column public.leads.created_by_id to app_system;
grant insert on column public.leads.crm_id to app_system;
grant insert, update on column public.leads.crm_id to app_staff;
grant insert on column public.leads.custom_fields to app_system;
grant insert, update on column public.leads.custom_fields to app_staff;
grant update on column public.leads.decides_by to app_staff;
grant update on column public.leads.deleted_at to app_staff;
grant insert on column public.leads.email to app_system;
grant insert, update on column public.leads.email to app_staff;
grant insert on column public.leads.expected_close to app_system;
grant insert, update on column public.leads.expected_close to app_staff;
grant update on column public.leads.furthest_stage_id to app_staff;
grant insert on column public.leads.id to app_staff;
grant insert on column public.leads.id to app_system;
grant insert on column public.leads.job_title to app_system;
grant insert, update on column public.leads.job_title to app_staff;
grant update on column public.leads.last_contact_at to app_staff;
grant update on column public.leads.merged_into_id to app_staff;
grant update on column public.leads.moved_from to app_lookup;
grant insert on column public.leads.name to app_system;
grant insert, update on column public.leads.name to app_staff;
grant update on column public.leads.need_level to app_staff;
grant insert on column public.leads.organisation to app_system;
grant insert, update on column public.leads.organisation to app_staff;
grant insert on column public.leads.origin to app_system;
grant insert, update on column public.leads.origin to app_staff;
grant insert on column public.leads.phone to app_system;
grant insert, update on column public.leads.phone to app_staff;
grant insert on column public.leads.pipeline_id to app_system;
grant insert, update on column public.leads.pipeline_id to app_staff;
grant insert on column public.leads.potential_value to app_system;
grant insert, update on column public.leads.potential_value to app_staff;
grant update on column public.leads.qualification to app_staff;
grant update on column public.leads.qualification_score to app_staff;
grant update on column public.leads.quick_reply_at to app_lookup;
grant update on column public.leads.quick_reply_at to app_staff;
grant insert on column public.leads.rank to app_system;
grant insert, update on column public.leads.rank to app_staff;
grant update on column public.leads.rank to app_lookup;
grant update on column public.leads.replied_at to app_lookup;
grant update on column public.leads.replied_at to app_staff;
grant update on column public.leads.score to app_staff;
grant update on column public.leads.scored_at to app_lookup;
grant update on column public.leads.scored_at to app_staff;
grant update on column public.leads.scored_by to app_staff;
grant insert on column public.leads.sdr_id to app_system;
grant insert, update on column public.leads.sdr_id to app_staff;
grant insert on column public.leads.stage_id to app_system;
grant insert, update on column public.leads.stage_id to app_staff;
grant insert on column public.leads.tags to app_system;
grant insert, update on column public.leads.tags to app_staff;
grant update on column public.leads.tags to app_lookup;
grant update on column public.leads.temperature to app_staff;
grant update on column public.leads.updated_at to app_staff;
grant insert on column public.leads.value to app_system;
grant update on column public.leads.value to app_staff;
grant update on column public.leads.version to app_lookup;
grant update on column public.leads.version to app_staff;
grant insert, select, update on column public.mail_accounts.authority to app_staff;
grant select on column public.mail_accounts.company_id to app_staff;
grant insert, select, update on column public.mail_accounts.from_address to app_staff;
grant insert, select, update on column public.mail_accounts.from_name to app_staff;
grant insert, select, update on column public.mail_accounts.host to app_staff;
grant insert, select, update on column public.mail_accounts.port to app_staff;
grant insert, select, update on column public.mail_accounts.sealed to app_staff;
grant insert, select, update on column public.mail_accounts.security to app_staff;
grant insert, select, update on column public.mail_accounts.username to app_staff;
grant select, update on column public.mail_accounts.version to app_staff;
grant update on column public.mails.attempts to app_system;
grant update on column public.mails.reply to app_lookup;
grant update on column public.mails.reply to app_system;
grant update on column public.mails.sent_at to app_system;
grant update on column public.mails.state to app_lookup;
grant update on column public.mails.state to app_system;
grant select on column public.memberships.client_id to app_system;
grant update on column public.memberships.client_id to app_lookup;
grant select on column public.memberships.company_id to app_system;
grant select on column public.memberships.created_at to app_system;
grant select on column public.memberships.is_primary to app_system;
grant select on column public.memberships.role to app_system;
grant select on column public.memberships.status to app_system;
grant select on column public.memberships.user_id to app_system;
grant insert on column public.mentee_evolutions.id to app_staff;
grant insert on column public.mentee_evolutions.id to app_student;
grant insert, update on column public.mentee_evolutions.leads to app_staff;
grant insert, update on column public.mentee_evolutions.leads to app_student;
grant insert on column public.mentee_evolutions.mentee_id to app_staff;
grant insert on column public.mentee_evolutions.mentee_id to app_student;
grant insert on column public.mentee_evolutions.month to app_staff;
grant insert on column public.mentee_evolutions.month to app_student;
grant insert, update on column public.mentee_evolutions.notes to app_staff;
grant insert, update on column public.mentee_evolutions.notes to app_student;
grant insert, update on column public.mentee_evolutions.profit to app_staff;
grant insert, update on column public.mentee_evolutions.profit to app_student;
grant insert, update on column public.mentee_evolutions.revenue to app_staff;
grant insert, update on column public.mentee_evolutions.revenue to app_student;
grant insert, update on column public.mentee_evolutions.sales to app_staff;
grant insert, update on column public.mentee_evolutions.sales to app_student;
grant insert, update on column public.mentee_evolutions.team to app_staff;
grant insert, update on column public.mentee_evolutions.team to app_student;
grant update on column public.mentee_evolutions.updated_at to app_staff;
grant update on column public.mentee_evolutions.updated_at to app_student;
grant update on column public.mentee_evolutions.updated_by to app_staff;
grant update on column public.mentee_evolutions.updated_by to app_student;
grant update on column public.mentee_evolutions.version to app_staff;
grant update on column public.mentee_evolutions.version to app_student;
grant insert on column public.mentee_feedback.areas to app_staff;
grant insert on column public.mentee_feedback.areas to app_student;
grant insert on column public.mentee_feedback.date to app_staff;
grant insert on column public.mentee_feedback.date to app_student;
grant insert on column public.mentee_feedback.id to app_staff;
grant insert on column public.mentee_feedback.id to app_student;
grant insert on column public.mentee_feedback.mentee_id to app_staff;
grant insert on column public.mentee_feedback.mentee_id to app_student;
grant insert on column public.mentee_feedback.nps to app_staff;
grant insert on column public.mentee_feedback.nps to app_student;
grant insert on column public.mentee_feedback.overall to app_staff;
grant insert on column public.mentee_feedback.overall to app_student;
grant insert on column public.mentee_feedback.text to app_staff;
grant insert on column public.mentee_feedback.text to app_student;
grant insert on column public.mentees.client_id to app_staff;
grant update on column public.mentees.ended_with to app_staff;
grant insert, update on column public.mentees.entry_month to app_staff;
grant insert, update on column public.mentees.goals to app_staff;
grant insert on column public.mentees.id to app_staff;
grant insert, update on column public.mentees.mentor_id to app_staff;
grant update on column public.mentees.merged_into_id to app_staff;
grant insert, update on column public.mentees.status to app_staff;
grant update on column public.mentees.status_before to app_staff;
grant insert, update on column public.mentees.target_revenue to app_staff;
grant insert, update on column public.mentees.target_sales to app_staff;
grant update on column public.mentees.updated_at to app_staff;
grant update on column public.mentees.version to app_staff;
grant insert, update on column public.message_templates.category to app_staff;
grant insert on column public.message_templates.channel_account_id to app_staff;
grant insert, update on column public.message_templates.components to app_staff;
grant insert on column public.message_templates.id to app_staff;
grant insert on column public.message_templates.language to app_staff;
grant insert on column public.message_templates.name to app_staff;
grant insert, update on column public.message_templates.provider_id to app_staff;
grant insert, update on column public.message_templates.quality to app_staff;
grant insert, update on column public.message_templates.reason to app_staff;
grant insert, update on column public.message_templates.status to app_staff;
grant insert, update on column public.message_templates.told_at to app_staff;
grant update on column public.message_templates.updated_at to app_staff;
grant insert on column public.messages.body to app_staff;
grant select on column public.messages.body to app_system;
grant update on column public.messages.body to app_lookup;
grant update on column public.messages.change to app_lookup;
grant insert on column public.messages.channel_account_id to app_staff;
grant select on column public.messages.channel_account_id to app_system;
grant insert on column public.messages.client_message_id to app_staff;
grant select on column public.messages.client_message_id to app_system;
grant select on column public.messages.company_id to app_system;
grant insert on column public.messages.conversation_id to app_staff;
grant select on column public.messages.conversation_id to app_system;
grant update on column public.messages.conversation_id to app_lookup;
grant select on column public.messages.created_at to app_system;
grant select on column public.messages.deleted_at to app_system;
grant update on column public.messages.deleted_at to app_staff;
grant update on column public.messages.deleted_by_id to app_staff;
grant select on column public.messages.edited_at to app_system;
grant update on column public.messages.edited_at to app_lookup;
grant select on column public.messages.error_code to app_system;
grant update on column public.messages.error_code to app_staff;
grant select on column public.messages.error_detail to app_system;
grant update on column public.messages.error_detail to app_staff;
grant insert on column public.messages.fence to app_staff;
grant select on column public.messages.fence to app_system;
grant update on column public.messages.fence to app_lookup;
grant insert on column public.messages.file_id to app_staff;
grant select on column public.messages.file_id to app_system;
grant insert on column public.messages.id to app_staff;
grant select on column public.messages.id to app_system;
grant select on column public.messages.inbound_number to app_system;
grant update on column public.messages.inbound_number to app_lookup;
grant insert on column public.messages.kind to app_staff;
grant select on column public.messages.kind to app_system;
grant insert on column public.messages.payload to app_staff;
grant select on column public.messages.payload to app_system;
grant select on column public.messages.provider_id to app_system;
grant update on column public.messages.provider_id to app_staff;
grant select on column public.messages.reactions to app_system;
grant insert on column public.messages.reply_to_id to app_staff;
grant select on column public.messages.reply_to_id to app_system;
grant select on column public.messages.revisions to app_system;
grant update on column public.messages.revisions to app_lookup;
grant insert on column public.messages.sender_id to app_staff;
grant select on column public.messages.sender_id to app_system;
grant insert on column public.messages.sender_type to app_staff;
grant select on column public.messages.sender_type to app_system;
grant select on column public.messages.sending_at to app_system;
grant update on column public.messages.sending_at to app_staff;
grant insert on column public.messages.sent_at to app_staff;
grant select on column public.messages.sent_at to app_system;
grant insert, update on column public.messages.status to app_staff;
grant select on column public.messages.status to app_system;
grant insert on column public.note_revisions.note_id to app_staff;
grant insert on column public.note_revisions.text to app_staff;
grant insert on column public.note_revisions.version to app_staff;
grant insert on column public.notes.author_id to app_system;
grant insert on column public.notes.client_id to app_staff;
grant insert on column public.notes.client_id to app_system;
grant update on column public.notes.client_id to app_lookup;
grant insert on column public.notes.conversation_id to app_staff;
grant update on column public.notes.conversation_id to app_lookup;
grant update on column public.notes.deleted_at to app_staff;
grant update on column public.notes.deleted_by_id to app_staff;
grant insert on column public.notes.id to app_staff;
grant insert on column public.notes.id to app_system;
grant insert, update on column public.notes.is_pinned to app_staff;
grant insert, update on column public.notes.mention_ids to app_staff;
grant update on column public.notes.moved_from to app_lookup;
grant insert on column public.notes.text to app_system;
grant insert, update on column public.notes.text to app_staff;
grant update on column public.notes.updated_at to app_staff;
grant update on column public.notes.version to app_staff;
grant insert, update on column public.notification_preferences.mails_after to app_staff;
grant insert, update on column public.notification_preferences.mails_after to app_student;
grant insert, update on column public.notification_preferences.quiet_from to app_staff;
grant insert, update on column public.notification_preferences.quiet_from to app_student;
grant insert, update on column public.notification_preferences.quiet_until to app_staff;
grant insert, update on column public.notification_preferences.quiet_until to app_student;
grant insert, update on column public.notification_preferences.types to app_staff;
grant insert, update on column public.notification_preferences.types to app_student;
grant update on column public.notification_preferences.version to app_staff;
grant update on column public.notification_preferences.version to app_student;
grant update on column public.notifications.mailed_at to app_system;
grant update on column public.notifications.read_at to app_staff;
grant update on column public.notifications.read_at to app_student;
grant select on column public.object_removals.begun_at to app_system;
grant select on column public.object_removals.company_id to app_system;
grant insert on column public.object_removals.due_at to app_staff;
grant insert on column public.object_removals.due_at to app_student;
grant select on column public.object_removals.due_at to app_system;
grant insert on column public.object_removals.storage_key to app_staff;
grant insert on column public.object_removals.storage_key to app_student;
grant select on column public.object_removals.storage_key to app_system;
grant update on column public.pipelines.archived_at to app_staff;
grant insert, update on column public.pipelines.department_id to app_staff;
grant insert on column public.pipelines.id to app_staff;
grant insert, update on column public.pipelines.is_default to app_staff;
grant insert, update on column public.pipelines.name to app_staff;
grant update on column public.pipelines.updated_at to app_staff;
grant update on column public.pipelines.version to app_staff;
grant insert on column public.presence_corrections.after to app_staff;
grant insert on column public.presence_corrections.before to app_staff;
grant insert on column public.presence_corrections.id to app_staff;
grant insert on column public.presence_corrections.interval_id to app_staff;
grant insert on column public.presence_corrections.note to app_staff;
grant insert on column public.presence_corrections.user_id to app_staff;
grant insert on column public.presence_intervals.cause to app_staff;
grant insert, update on column public.presence_intervals.end_cause to app_staff;
grant insert, update on column public.presence_intervals.ended_at to app_staff;
grant insert on column public.presence_intervals.id to app_staff;
grant insert, update on column public.presence_intervals.reason to app_staff;
grant insert, update on column public.presence_intervals.started_at to app_staff;
grant insert, update on column public.presence_intervals.state to app_staff;
grant insert on column public.presence_intervals.user_id to app_staff;
grant update on column public.presence_intervals.version to app_staff;
grant select on column public.presence_leases.company_id to app_system;
grant insert on column public.presence_leases.connection_id to app_staff;
grant insert on column public.presence_leases.connection_id to app_student;
grant select on column public.presence_leases.connection_id to app_system;
grant insert, update on column public.presence_leases.lease_until to app_staff;
grant insert, update on column public.presence_leases.lease_until to app_student;
grant select on column public.presence_leases.lease_until to app_system;
grant insert on column public.presence_leases.session_id to app_staff;
grant insert on column public.presence_leases.session_id to app_student;
grant select on column public.presence_leases.session_id to app_system;
grant select on column public.presence_leases.started_at to app_system;
grant insert, update on column public.presence_leases.status to app_staff;
grant insert, update on column public.presence_leases.status to app_student;
grant select on column public.presence_leases.status to app_system;
grant insert on column public.presence_leases.user_id to app_staff;
grant insert on column public.presence_leases.user_id to app_student;
grant select on column public.presence_leases.user_id to app_system;
grant insert on column public.quick_replies.department_id to app_staff;
grant update on column public.quick_replies.department_id to app_lookup;
grant insert, update on column public.quick_replies.file_ids to app_staff;
grant insert on column public.quick_replies.id to app_staff;
grant update on column public.quick_replies.last_used_at to app_lookup;
grant insert on column public.quick_replies.owner_id to app_staff;
grant insert, update on column public.quick_replies.shortcut to app_staff;
grant insert, update on column public.quick_replies.text to app_staff;
grant insert, update on column public.quick_replies.title to app_staff;
grant update on column public.quick_replies.updated_at to app_lookup;
grant update on column public.quick_replies.updated_at to app_staff;
grant update on column public.quick_replies.usage_count to app_lookup;
grant update on column public.quick_replies.version to app_lookup;
grant update on column public.quick_replies.version to app_staff;
grant insert on column public.quick_reply_uses.message_id to app_staff;
grant insert on column public.quick_reply_uses.quick_reply_id to app_staff;
grant insert on column public.scheduled_chat_messages.asked to app_staff;
grant insert on column public.scheduled_chat_messages.channel_id to app_staff;
grant insert on column public.scheduled_chat_messages.due_at to app_staff;
grant update on column public.scheduled_chat_messages.failure to app_system;
grant insert on column public.scheduled_chat_messages.id to app_staff;
grant update on column public.scheduled_chat_messages.message_id to app_system;
grant update on column public.scheduled_chat_messages.state to app_staff;
grant update on column public.scheduled_chat_messages.state to app_system;
grant insert, update on column public.scheduled_messages.asked to app_staff;
grant insert, update on column public.scheduled_messages.body to app_staff;
grant insert on column public.scheduled_messages.conversation_id to app_staff;
grant update on column public.scheduled_messages.conversation_id to app_lookup;
grant insert, update on column public.scheduled_messages.due_at to app_staff;
grant insert, update on column public.scheduled_messages.file_id to app_staff;
grant insert on column public.scheduled_messages.id to app_staff;
grant insert, update on column public.scheduled_messages.kind to app_staff;
grant insert, update on column public.scheduled_messages.payload to app_staff;
grant update on column public.scheduled_messages.state to app_staff;
grant update on column public.scheduled_messages.version to app_staff;
grant select on column public.second_factors.enabled_at to app_staff;
grant select on column public.second_factors.enabled_at to app_student;
grant select on column public.second_factors.user_id to app_staff;
grant select on column public.second_factors.user_id to app_student;
grant insert, update on column public.stages."position" to app_staff;
grant update on column public.stages."position" to app_lookup;
grant insert, update on column public.stages.automations to app_staff;
grant insert, update on column public.stages.colour to app_staff;
grant insert on column public.stages.id to app_staff;
grant insert, update on column public.stages.key to app_staff;
grant insert on column public.stages.kind to app_staff;
grant insert, update on column public.stages.name to app_staff;
grant insert on column public.stages.pipeline_id to app_staff;
grant insert, update on column public.stages.required_fields to app_staff;
grant insert, update on column public.stages.rotting_days to app_staff;
grant insert, update on column public.tags.colour to app_staff;
grant insert on column public.tags.id to app_staff;
grant insert, update on column public.tags.name to app_staff;
grant update on column public.tags.name to app_lookup;
grant update on column public.tags.version to app_staff;
grant insert on column public.tasks.cause to app_system;
grant insert on column public.tasks.client_id to app_system;
grant insert, update on column public.tasks.client_id to app_staff;
grant update on column public.tasks.client_id to app_lookup;
grant update on column public.tasks.completed_at to app_staff;
grant update on column public.tasks.completed_by to app_staff;
grant insert, update on column public.tasks.conversation_id to app_staff;
grant update on column public.tasks.conversation_id to app_lookup;
grant insert on column public.tasks.due_at to app_system;
grant insert, update on column public.tasks.due_at to app_staff;
grant insert on column public.tasks.follows_id to app_staff;
grant update on column public.tasks.given_by to app_staff;
grant insert on column public.tasks.id to app_staff;
grant insert on column public.tasks.id to app_system;
grant insert on column public.tasks.kind to app_system;
grant insert, update on column public.tasks.kind to app_staff;
grant insert on column public.tasks.lead_id to app_system;
grant insert, update on column public.tasks.lead_id to app_staff;
grant update on column public.tasks.lead_id to app_lookup;
grant insert, update on column public.tasks.mentee_id to app_staff;
grant update on column public.tasks.moved_from to app_lookup;
grant insert on column public.tasks.notes to app_system;
grant insert, update on column public.tasks.notes to app_staff;
grant insert, update on column public.tasks.occurrence to app_staff;
grant insert on column public.tasks.owner_id to app_system;
grant insert, update on column public.tasks.owner_id to app_staff;
grant insert, update on column public.tasks.recurrence to app_staff;
grant update on column public.tasks.result to app_staff;
grant insert, update on column public.tasks.series_at to app_staff;
grant insert on column public.tasks.series_id to app_system;
grant insert, update on column public.tasks.series_id to app_staff;
grant insert, update on column public.tasks.time_zone to app_staff;
grant insert on column public.tasks.title to app_system;
grant insert, update on column public.tasks.title to app_staff;
grant update on column public.tasks.told_due_at to app_system;
grant update on column public.tasks.updated_at to app_staff;
grant update on column public.tasks.version to app_staff;
grant select on column public.users."position" to app_staff;
grant select on column public.users."position" to app_student;
grant select on column public.users."position" to app_system;
grant select on column public.users.created_at to app_staff;
grant select on column public.users.created_at to app_student;
grant select on column public.users.created_at to app_system;
grant select on column public.users.email to app_staff;
grant select on column public.users.email to app_student;
grant select on column public.users.email to app_system;
grant select on column public.users.id to app_staff;
grant select on column public.users.id to app_student;
grant select on column public.users.id to app_system;
grant select on column public.users.locale to app_staff;
grant select on column public.users.locale to app_student;
grant select on column public.users.locale to app_system;
grant update on column public.users.locale to app_lookup;
grant select on column public.users.name to app_staff;
grant select on column public.users.name to app_student;
grant select on column public.users.name to app_system;
grant update on column public.users.name to app_lookup;
grant update on column public.users.password_changed_at to app_lookup;
grant update on column public.users.password_hash to app_lookup;
grant select on column public.users.phone to app_staff;
grant select on column public.users.phone to app_student;
grant select on column public.users.phone to app_system;
grant select on column public.users.time_zone to app_staff;
grant select on column public.users.time_zone to app_student;
grant select on column public.users.time_zone to app_system;
grant update on column public.users.time_zone to app_lookup;
grant update on column public.views."position" to app_staff;
grant insert, update on column public.views.filters to app_staff;
grant update on column public.views.filters to app_lookup;
grant insert on column public.views.id to app_staff;
grant insert on column public.views.kind to app_staff;
grant insert, update on column public.views.name to app_staff;
grant insert on column public.views.owner_id to app_staff;
grant update on column public.views.updated_at to app_lookup;
grant update on column public.views.updated_at to app_staff;
grant update on column public.views.version to app_lookup;
grant update on column public.views.version to app_staff;
grant select on column public.web_push_subscriptions.company_id to app_staff;
grant select on column public.web_push_subscriptions.company_id to app_student;
grant select on column public.web_push_subscriptions.endpoint_hash to app_staff;
grant select on column public.web_push_subscriptions.endpoint_hash to app_student;
grant select on column public.web_push_subscriptions.id to app_staff;
grant select on column public.web_push_subscriptions.id to app_student;
grant select on column public.web_push_subscriptions.server_key to app_staff;
grant select on column public.web_push_subscriptions.server_key to app_student;
grant select on column public.web_push_subscriptions.session_id to app_staff;
grant select on column public.web_push_subscriptions.session_id to app_student;
grant select on column public.web_push_subscriptions.user_id to app_staff;
grant select on column public.web_push_subscriptions.user_id to app_student;
grant execute on function app.accept_invite(invite uuid, new_person uuid, person_name text, hash text, proved_hash text) to app;
grant execute on function app.add_asked_jobs() to app_staff;
grant execute on function app.add_asked_jobs() to app_student;
grant execute on function app.add_asked_jobs() to app_system;
grant execute on function app.add_edit(revisions jsonb, body text, edit_id text, new_body text, at timestamp with time zone) to app_lookup;
grant execute on function app.add_edit(revisions jsonb, body text, edit_id text, new_body text, at timestamp with time zone) to app_system;
grant execute on function app.add_member(company uuid, person uuid, new_role text, in_departments uuid[]) to app_lookup;
grant execute on function app.add_password_reset(reset uuid, company uuid, person uuid, by_user uuid) to app_lookup;
grant execute on function app.add_session(session uuid, family uuid, company uuid, person uuid, family_ends timestamp with time zone, refresh_hash bytea, browser text, address text, request text) to app_lookup;
grant execute on function app.add_to_channel(channel uuid, people uuid[], OUT outcome text, OUT added uuid[]) to app_staff;
grant execute on function app.admit_member(person uuid, waits_as text, with_role text) to app_staff;
grant execute on function app.announce_member(company uuid, person uuid) to app_lookup;
grant execute on function app.ask_for_assignment(departments uuid[]) to app_lookup;
grant execute on function app.ask_for_change(message uuid, change_id uuid, what text, words text) to app_staff;
grant execute on function app.audiences() to app;
grant execute on function app.audiences() to app_lookup;
grant execute on function app.audiences() to app_staff;
grant execute on function app.audiences() to app_student;
grant execute on function app.audiences() to app_system;
grant execute on function app.begin_bot_call(wanted uuid) to app_system;
grant execute on function app.begin_object_removals(most integer) to app;
grant execute on function app.begin_second_factor(sealed bytea) to app_staff;
grant execute on function app.begin_second_factor(sealed bytea) to app_student;
grant execute on function app.block_client(client uuid) to app_staff;
grant execute on function app.calendar_of(department uuid) to app_staff;
grant execute on function app.calendar_of(department uuid) to app_system;
grant execute on function app.change_password(old_hash text, new_hash text) to app_staff;
grant execute on function app.change_password(old_hash text, new_hash text) to app_student;
grant execute on function app.change_role(person uuid, becomes text) to app_staff;
grant execute on function app.channel_of_unrouted(webhook public.unrouted_webhooks) to app_lookup;
grant execute on function app.channel_people(wanted uuid[]) to app_staff;
grant execute on function app.channel_people(wanted uuid[]) to app_system;
grant execute on function app.choose_company(session uuid, company uuid, refresh_hash bytea, browser text, address text, request text) to app_staff;
grant execute on function app.choose_company(session uuid, company uuid, refresh_hash bytea, browser text, address text, request text) to app_student;
grant execute on function app.choose_primary(company uuid) to app_staff;
grant execute on function app.choose_primary(company uuid) to app_student;
grant execute on function app.claim_ai(run uuid, run_purpose text, run_prompt text, of_conversation uuid, of_person uuid, wanted integer, of_work uuid, since timestamp with time zone) to app_system;
grant execute on function app.claim_job(wanted uuid, lease interval) to app;
grant execute on function app.client_id() to app;
grant execute on function app.client_id() to app_lookup;
grant execute on function app.client_id() to app_staff;
grant execute on function app.client_id() to app_student;
grant execute on function app.client_id() to app_system;
grant execute on function app.companies_of_user() to app_staff;
grant execute on function app.companies_of_user() to app_student;
grant execute on function app.companies_to_score(most integer) to app;
grant execute on function app.company_id() to app;
grant execute on function app.company_id() to app_lookup;
grant execute on function app.company_id() to app_staff;
grant execute on function app.company_id() to app_student;
grant execute on function app.company_id() to app_system;
grant execute on function app.company_of_connection(connection text) to app;
grant execute on function app.company_of_lead(lead uuid) to app;
grant execute on function app.count_all_lead_work(since timestamp with time zone) to app_staff;
grant execute on function app.create_company(company uuid, company_name text, company_slug text, other_slug text, zone text, language text, browser text, caller text, request text) to app_staff;
grant execute on function app.create_company(company uuid, company_name text, company_slug text, other_slug text, zone text, language text, browser text, caller text, request text) to app_student;
grant execute on function app.create_user(person uuid, address text, person_name text, hash text, new_role text, in_departments uuid[]) to app_staff;
grant execute on function app.department_ids() to app;
grant execute on function app.department_ids() to app_lookup;
grant execute on function app.department_ids() to app_staff;
grant execute on function app.department_ids() to app_student;
grant execute on function app.department_ids() to app_system;
grant execute on function app.edit_unsent_message(message uuid, words text) to app_staff;
grant execute on function app.end_family(session uuid) to app;
grant execute on function app.end_family(session uuid) to app_staff;
grant execute on function app.end_family(session uuid) to app_student;
grant execute on function app.end_idle_sessions(most integer) to app;
grant execute on function app.end_logins(person uuid, only_family uuid, kept uuid) to app_lookup;
grant execute on function app.end_membership(person uuid, becomes text) to app_staff;
grant execute on function app.end_object_removals(storage_keys text[]) to app;
grant execute on function app.end_orphan_uploads(most integer) to app;
grant execute on function app.end_own_logins(only_family uuid) to app_staff;
grant execute on function app.end_own_logins(only_family uuid) to app_student;
grant execute on function app.end_second_factor() to app_staff;
grant execute on function app.end_second_factor() to app_student;
grant execute on function app.end_sessions_in(company uuid, person uuid) to app_lookup;
grant execute on function app.enter(company uuid, person uuid, claimed_role text, session uuid, standing text) to app;
grant execute on function app.enter_account(channel_kind text, account text, number text) to app;
grant execute on function app.enter_channel(channel_kind text, key text) to app;
grant execute on function app.enter_kept_webhook(webhook uuid, received timestamp with time zone, channel_kind text, number text, account text, shown text, persons integer[], kinds text[], identities text[], message_ids text[], changed_ids text[], own_ids uuid[]) to app;
grant execute on function app.enter_system(company uuid) to app;
grant execute on function app.enter_webhook(channel_kind text, number text, account text, shown text, persons integer[], kinds text[], identities text[], message_ids text[], changed_ids text[], own_ids uuid[]) to app;
grant execute on function app.feed_head() to app;
grant execute on function app.feed_head() to app_lookup;
grant execute on function app.feed_head() to app_staff;
grant execute on function app.feed_head() to app_student;
grant execute on function app.feed_head() to app_system;
grant execute on function app.files_of_flow(definition jsonb) to app_lookup;
grant execute on function app.files_of_flow(definition jsonb) to app_staff;
grant execute on function app.files_of_flow(definition jsonb) to app_system;
grant execute on function app.fill_words(template text, facts jsonb) to app_lookup;
grant execute on function app.fill_words(template text, facts jsonb) to app_staff;
grant execute on function app.fill_words(template text, facts jsonb) to app_student;
grant execute on function app.fill_words(template text, facts jsonb) to app_system;
grant execute on function app.find_account(channel_kind text, account text, number text) to app;
grant execute on function app.find_challenge(hash bytea) to app;
grant execute on function app.find_channel(channel_kind text, key text) to app;
grant execute on function app.find_chat_messages(query text, in_channel uuid, by_author uuid, with_files boolean, since timestamp with time zone, until timestamp with time zone, at timestamp with time zone, at_id uuid, oldest_first boolean, wanted bigint) to app_staff;
grant execute on function app.find_clients(query text, phones text[], tag text, is_archived boolean, is_oldest_first boolean, at timestamp with time zone, after uuid, wanted bigint, is_blocked boolean) to app_staff;
grant execute on function app.find_conversations(query text, phones text[], newest uuid[], walked bigint, wanted bigint) to app_staff;
grant execute on function app.find_crm(wanted uuid) to app;
grant execute on function app.find_invite(invite uuid) to app;
grant execute on function app.find_knowledge(asked text[], factors real[], phrases text[], of_audience text, wanted integer, meant text, of_model text, meaning real[]) to app_staff;
grant execute on function app.find_knowledge(asked text[], factors real[], phrases text[], of_audience text, wanted integer, meant text, of_model text, meaning real[]) to app_system;
grant execute on function app.find_leads(query text) to app_staff;
grant execute on function app.find_login(address text) to app;
grant execute on function app.find_messages(query text, in_conversation uuid, of_client uuid, sender text, sent_by uuid, of_kind text, in_department uuid, on_channel uuid, since timestamp with time zone, until timestamp with time zone, at timestamp with time zone, at_id uuid, oldest_first boolean, wanted bigint) to app_staff;
grant execute on function app.find_namesake(phones text[], mail text, paper text, but_for uuid) to app_staff;
grant execute on function app.find_namesake(phones text[], mail text, paper text, but_for uuid) to app_system;
grant execute on function app.find_notes(query text) to app_staff;
grant execute on function app.find_password(company uuid, person uuid, claimed_role text, session uuid) to app;
grant execute on function app.find_password_reset(reset uuid) to app;
grant execute on function app.first_there(people uuid[]) to app_system;
grant execute on function app.fold(value text) to app_lookup;
grant execute on function app.fold(value text) to app_staff;
grant execute on function app.fold(value text) to app_student;
grant execute on function app.fold(value text) to app_system;
grant execute on function app.follow_flow(flow uuid) to app_staff;
grant execute on function app.follow_presence(company uuid, person uuid, why text, revoked timestamp with time zone) to app_lookup;
grant execute on function app.followed_conversations() to app_staff;
grant execute on function app.followup_holidays() to app_staff;
grant execute on function app.followup_holidays() to app_system;
grant execute on function app.force_password_reset(reset uuid, member uuid) to app_staff;
grant execute on function app.has_open_conversation(client uuid) to app_staff;
grant execute on function app.has_opted_out(lead public.leads) to app_lookup;
grant execute on function app.has_opted_out(lead public.leads) to app_staff;
grant execute on function app.has_opted_out(lead public.leads) to app_system;
grant execute on function app.has_role(VARIADIC roles text[]) to app_lookup;
grant execute on function app.has_role(VARIADIC roles text[]) to app_staff;
grant execute on function app.has_role(VARIADIC roles text[]) to app_system;
grant execute on function app.has_second_factor(person uuid) to app;
grant execute on function app.held_conversations() to app_lookup;
grant execute on function app.held_conversations() to app_staff;
grant execute on function app.held_conversations() to app_student;
grant execute on function app.held_conversations() to app_system;
grant execute on function app.held_leads() to app_lookup;
grant execute on function app.held_leads() to app_staff;
grant execute on function app.held_leads() to app_system;
grant execute on function app.history_entry(kind text, id uuid) to app_staff;
grant execute on function app.history_entry(kind text, id uuid) to app_system;
grant execute on function app.hold_clients(one uuid, other uuid) to app_staff;
grant execute on function app.hold_family(family uuid) to app_lookup;
grant execute on function app.hold_logins(company uuid, person uuid) to app_lookup;
grant execute on function app.hold_member(person uuid) to app_staff;
grant execute on function app.hold_members(company uuid) to app_lookup;
grant execute on function app.hold_merge(merge uuid) to app_staff;
grant execute on function app.hold_own_unread() to app_staff;
grant execute on function app.hold_own_unread() to app_student;
grant execute on function app.hold_stages(wanted uuid[]) to app_staff;
grant execute on function app.hold_stages(wanted uuid[]) to app_system;
grant execute on function app.hold_tagged(tag uuid) to app_staff;
grant execute on function app.hold_unread(people uuid[]) to app_lookup;
grant execute on function app.index_meanings() to app_system;
grant execute on function app.instances_to_check(most integer) to app;
grant execute on function app.is_of_own_mentoring(topic text, audience text[], data jsonb) to app_lookup;
grant execute on function app.is_opt_out(words text) to app_lookup;
grant execute on function app.join_clients(merge uuid, one uuid, other uuid, why jsonb, wanted uuid) to app_lookup;
grant execute on function app.join_clients(merge uuid, one uuid, other uuid, why jsonb, wanted uuid) to app_system;
grant execute on function app.join_conversations(kept_id uuid, closed_id uuid) to app_lookup;
grant execute on function app.join_conversations(kept_id uuid, closed_id uuid) to app_system;
grant execute on function app.joined(value text) to app_lookup;
grant execute on function app.joined(value text) to app_staff;
grant execute on function app.joined(value text) to app_system;
grant execute on function app.judge_record(new_events jsonb, new_jobs jsonb) to app_lookup;
grant execute on function app.judge_refresh_token(presented bytea) to app;
grant execute on function app.keep_sealed(kept_ins text[], owner_ids uuid[], names text[], befores bytea[], afters bytea[]) to app;
grant execute on function app.keep_unrouted_webhook(webhook uuid, from_source text, key text, content bytea, reason text) to app;
grant execute on function app.keep_webhook(webhook uuid, received timestamp with time zone, channel_kind text, number text, account text, shown text, content bytea, named text[], told text[]) to app;
grant execute on function app.key_of_file(file uuid) to app_staff;
grant execute on function app.key_of_file(file uuid) to app_student;
grant execute on function app.lapsed_presence(most integer) to app;
grant execute on function app.leads(leader text, led text) to app_lookup;
grant execute on function app.learn_instance_id(channel uuid, told text) to app_system;
grant execute on function app.leave_webhooks(most integer) to app;
grant execute on function app.left_conversations() to app_staff;
grant execute on function app.left_conversations() to app_system;
grant execute on function app.live_department(company uuid, department uuid) to app_lookup;
grant execute on function app.lock_keys(keys text[]) to app_lookup;
grant execute on function app.lock_keys(keys text[]) to app_system;
grant execute on function app.look(name text) to app_lookup;
grant execute on function app.look(name text) to app_staff;
grant execute on function app.look(name text) to app_system;
grant execute on function app.make_channel(channel uuid, of_kind text, called text, key text, about text, announces boolean, people uuid[]) to app_staff;
grant execute on function app.make_password_reset(reset uuid, address text, browser text, caller text, request text) to app;
grant execute on function app.manages_channel(channel uuid) to app_staff;
grant execute on function app.matching_conversations(candidates uuid[], names text[], numbers text[], emails text[], stems text[]) to app_lookup;
grant execute on function app.meets(lead public.leads, wanted jsonb) to app_lookup;
grant execute on function app.meets(lead public.leads, wanted jsonb) to app_staff;
grant execute on function app.meets(lead public.leads, wanted jsonb) to app_system;
grant execute on function app.mentee_signals(wanted uuid[], since timestamp with time zone) to app_staff;
grant execute on function app.mentee_signals(wanted uuid[], since timestamp with time zone) to app_student;
grant execute on function app.mention_ways(mentions jsonb) to app_lookup;
grant execute on function app.mention_ways(mentions jsonb) to app_staff;
grant execute on function app.mention_ways(mentions jsonb) to app_system;
grant execute on function app.mentioned(channel uuid, ways text[]) to app_staff;
grant execute on function app.mentioned(channel uuid, ways text[]) to app_system;
grant execute on function app.merge_clients(merge uuid, stays uuid, goes uuid, why jsonb) to app_staff;
grant execute on function app.move_students(from_client uuid, to_client uuid) to app_system;
grant execute on function app.my_channels() to app_staff;
grant execute on function app.my_mentor(person uuid) to app_student;
grant execute on function app.named_people(people uuid[], groups text[]) to app_lookup;
grant execute on function app.next_jobs(beside uuid) to app;
grant execute on function app.no_colleagues(people uuid[]) to app_staff;
grant execute on function app.note_device(person uuid, with_device text, from_network text) to app_lookup;
grant execute on function app.note_free_agent(company uuid, agent uuid) to app_lookup;
grant execute on function app.note_run(schedule text) to app;
grant execute on function app.note_use() to app_lookup;
grant execute on function app.notice_of_leads(person uuid, leads bigint, lead uuid, version integer) to app_lookup;
grant execute on function app.notice_of_leads(person uuid, leads bigint, lead uuid, version integer) to app_staff;
grant execute on function app.notice_of_leads(person uuid, leads bigint, lead uuid, version integer) to app_system;
grant execute on function app.notification_facts(of_type text, conversation uuid, channel uuid, client uuid, lead uuid, source uuid, actor uuid, facts jsonb) to app_lookup;
grant execute on function app.notification_facts(of_type text, conversation uuid, channel uuid, client uuid, lead uuid, source uuid, actor uuid, facts jsonb) to app_staff;
grant execute on function app.notification_facts(of_type text, conversation uuid, channel uuid, client uuid, lead uuid, source uuid, actor uuid, facts jsonb) to app_student;
grant execute on function app.notification_facts(of_type text, conversation uuid, channel uuid, client uuid, lead uuid, source uuid, actor uuid, facts jsonb) to app_system;
grant execute on function app.notification_words(of_type text, language text, facts jsonb, count integer, OUT title text, OUT body text) to app_lookup;
grant execute on function app.notification_words(of_type text, language text, facts jsonb, count integer, OUT title text, OUT body text) to app_staff;
grant execute on function app.notification_words(of_type text, language text, facts jsonb, count integer, OUT title text, OUT body text) to app_student;
grant execute on function app.notification_words(of_type text, language text, facts jsonb, count integer, OUT title text, OUT body text) to app_system;
grant execute on function app.notify(notice jsonb) to app_lookup;
grant execute on function app.notify(notice jsonb) to app_staff;
grant execute on function app.notify(notice jsonb) to app_system;
grant execute on function app.oldest_due_job() to app;
grant execute on function app.open_challenge(hash bytea, company uuid, person uuid) to app;
grant execute on function app.open_direct(new_id uuid, people uuid[], OUT channel uuid, OUT is_new boolean) to app_staff;
grant execute on function app.open_lead(client uuid) to app_staff;
grant execute on function app.open_lead(client uuid) to app_system;
grant execute on function app.opt_out(company uuid, wanted uuid[], how text) to app_lookup;
grant execute on function app.opt_out(company uuid, wanted uuid[], how text) to app_system;
grant execute on function app.overdue_tasks(most integer) to app;
grant execute on function app.own_logins() to app_staff;
grant execute on function app.own_logins() to app_student;
grant execute on function app.own_pipelines() to app_staff;
grant execute on function app.own_second_factor() to app_staff;
grant execute on function app.own_second_factor() to app_student;
grant execute on function app.own_unread() to app_staff;
grant execute on function app.own_unread() to app_student;
grant execute on function app.part_clients(merge uuid, words jsonb) to app_staff;
grant execute on function app.people_of_channels(new_events jsonb) to app_staff;
grant execute on function app.people_of_channels(new_events jsonb) to app_student;
grant execute on function app.people_of_channels(new_events jsonb) to app_system;
grant execute on function app.places_in(stage uuid, ids uuid[], is_on_top boolean) to app_staff;
grant execute on function app.places_in(stage uuid, ids uuid[], is_on_top boolean) to app_system;
grant execute on function app.present_role() to app_lookup;
grant execute on function app.productivity(people uuid[], edges timestamp with time zone[], buckets integer[]) to app_staff;
grant execute on function app.propose_knowledge(proposal uuid, of_kind text, key text, article uuid, article_seen integer, other uuid, other_seen integer, drafted jsonb, speaks jsonb) to app_staff;
grant execute on function app.propose_knowledge(proposal uuid, of_kind text, key text, article uuid, article_seen integer, other uuid, other_seen integer, drafted jsonb, speaks jsonb) to app_system;
grant execute on function app.queue_mail(mail uuid, of_template text, address text, person text, language text, purpose text, link uuid, facts jsonb) to app_staff;
grant execute on function app.queue_mail(mail uuid, of_template text, address text, person text, language text, purpose text, link uuid, facts jsonb) to app_student;
grant execute on function app.queue_mail(mail uuid, of_template text, address text, person text, language text, purpose text, link uuid, facts jsonb) to app_system;
grant execute on function app.quick_reply_files() to app_staff;
grant execute on function app.quick_reply_files() to app_system;
grant execute on function app.rank_between(low numeric, high numeric) to app_lookup;
grant execute on function app.rank_between(low numeric, high numeric) to app_staff;
grant execute on function app.rank_between(low numeric, high numeric) to app_system;
grant execute on function app.rank_in(stage uuid, lead uuid, below uuid, above uuid, OUT place numeric, OUT is_spread boolean) to app_staff;
grant execute on function app.rank_in(stage uuid, lead uuid, below uuid, above uuid, OUT place numeric, OUT is_spread boolean) to app_system;
grant execute on function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb) to app_staff;
grant execute on function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb) to app_student;
grant execute on function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb) to app_system;
grant execute on function app.record_lead_response(lead uuid, way text, words text) to app_staff;
grant execute on function app.register(person uuid, address text, person_name text, hash text, company uuid, company_name text, company_slug text, existing_slug text, browser text, caller text, request text) to app;
grant execute on function app.request_password_reset(reset uuid, address text, browser text, caller text, request text) to app;
grant execute on function app.reset_password(reset uuid, hash text, browser text, caller text, request text) to app;
grant execute on function app.retry_job(wanted uuid) to app_staff;
grant execute on function app.rfc3339(at timestamp with time zone) to app_lookup;
grant execute on function app.rfc3339(at timestamp with time zone) to app_staff;
grant execute on function app.rfc3339(at timestamp with time zone) to app_system;
grant execute on function app.room_for_jobs(company uuid, of_queue text) to app_lookup;
grant execute on function app.rotate_refresh_token(old_hash bytea, new_hash bytea) to app;
grant execute on function app.route_webhook(wanted uuid, named text[]) to app_staff;
grant execute on function app.save_member(person uuid, given jsonb, seen integer) to app_staff;
grant execute on function app.save_member(person uuid, given jsonb, seen integer) to app_student;
grant execute on function app.sealed_otherwise(key_id text, behind text, most integer) to app;
grant execute on function app.sealed_with(sealed bytea) to app_lookup;
grant execute on function app.sealed_with(sealed bytea) to app_staff;
grant execute on function app.sealed_with(sealed bytea) to app_system;
grant execute on function app.search_conversations(query text, digits text) to app_staff;
grant execute on function app.searchable(value text) to app_lookup;
grant execute on function app.searchable(value text) to app_staff;
grant execute on function app.searchable(value text) to app_system;
grant execute on function app.sees_all() to app;
grant execute on function app.sees_all() to app_lookup;
grant execute on function app.sees_all() to app_staff;
grant execute on function app.sees_all() to app_student;
grant execute on function app.sees_all() to app_system;
grant execute on function app.sequences_to_enroll(after_company uuid, after_sequence uuid, most integer) to app;
grant execute on function app.session_access(company uuid, person uuid, claimed_role text, session uuid) to app;
grant execute on function app.session_id() to app;
grant execute on function app.session_id() to app_lookup;
grant execute on function app.session_id() to app_staff;
grant execute on function app.session_id() to app_student;
grant execute on function app.session_id() to app_system;
grant execute on function app.set_recovery_codes(hashes bytea[]) to app_staff;
grant execute on function app.set_recovery_codes(hashes bytea[]) to app_student;
grant execute on function app.settle_ai(run uuid, ending text, why text, by_model text, input integer, output integer, costs bigint, took integer) to app_system;
grant execute on function app.settle_notifications(what jsonb) to app_lookup;
grant execute on function app.settle_notifications(what jsonb) to app_staff;
grant execute on function app.settle_notifications(what jsonb) to app_system;
grant execute on function app.show_read(ended jsonb) to app_lookup;
grant execute on function app.sign_in(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text, device text, network text) to app;
grant execute on function app.sign_in_with_code(challenge bytea, step bigint, recovery_hash bytea, session uuid, refresh_hash bytea, browser text, address text, request text, device text, network text) to app;
grant execute on function app.silence_followups(company uuid, wanted uuid[], why text) to app_lookup;
grant execute on function app.silence_followups(company uuid, wanted uuid[], why text) to app_system;
grant execute on function app.spaced(value text) to app_lookup;
grant execute on function app.spaced(value text) to app_staff;
grant execute on function app.spaced(value text) to app_system;
grant execute on function app.start_challenged_login(challenge bytea, step bigint, recovery_hash bytea, session uuid, refresh_hash bytea, browser text, address text, request text, device text, network text) to app;
grant execute on function app.start_conversation(new_id uuid, new_client uuid, client uuid, number text, called text, is_named boolean, channel uuid, holder uuid) to app_staff;
grant execute on function app.start_conversation(new_id uuid, new_client uuid, client uuid, number text, called text, is_named boolean, channel uuid, holder uuid) to app_system;
grant execute on function app.start_login(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text, device text, network text) to app;
grant execute on function app.start_session(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text) to app;
grant execute on function app.stems(company uuid, words text) to app_lookup;
grant execute on function app.stems(company uuid, words text) to app_staff;
grant execute on function app.stems(company uuid, words text) to app_system;
grant execute on function app.subscribe_web_push(new_id uuid, address text, browser_key bytea, secret bytea, our_key text, named text, ends timestamp with time zone) to app_staff;
grant execute on function app.subscribe_web_push(new_id uuid, address text, browser_key bytea, secret bytea, our_key text, named text, ends timestamp with time zone) to app_student;
grant execute on function app.succeed_refresh_token(presented bytea, successor bytea, derived_with text) to app;
grant execute on function app.sweep_ai_runs(most integer) to app;
grant execute on function app.sweep_foundation(most integer) to app;
grant execute on function app.sweep_imports(most integer) to app;
grant execute on function app.sweep_logins(most integer) to app;
grant execute on function app.sweep_mails(batch integer) to app;
grant execute on function app.sweep_notifications(most integer) to app;
grant execute on function app.sweep_preferences(most integer) to app;
grant execute on function app.sweep_repair(most integer) to app;
grant execute on function app.sweep_service_desk(most integer) to app;
grant execute on function app.take_code(person uuid, step bigint, recovery_hash bytea) to app_lookup;
grant execute on function app.take_due_jobs(most integer) to app;
grant execute on function app.take_out_of_channel(channel uuid, person uuid, OUT outcome text) to app_staff;
grant execute on function app.take_own_code(step bigint, recovery_hash bytea) to app_staff;
grant execute on function app.take_own_code(step bigint, recovery_hash bytea) to app_student;
grant execute on function app.tell_notified() to app_staff;
grant execute on function app.tell_notified() to app_student;
grant execute on function app.tell_notified() to app_system;
grant execute on function app.turn_days() to app;
grant execute on function app.unblock_client(client uuid, words jsonb) to app_staff;
grant execute on function app.undo_client_import(import uuid, most integer) to app_system;
grant execute on function app.unread_notifications(people uuid[]) to app_lookup;
grant execute on function app.unread_of(people uuid[], wanted text, one uuid) to app_system;
grant execute on function app.unrouted_webhook(wanted uuid) to app_staff;
grant execute on function app.unrouted_webhooks() to app_staff;
grant execute on function app.use_invite(invite uuid, new_person uuid, person_name text, hash text, proved_hash text) to app;
grant execute on function app.use_of_file(file uuid) to app_staff;
grant execute on function app.use_of_file(file uuid) to app_student;
grant execute on function app.use_of_file(file uuid) to app_system;
grant execute on function app.use_password_reset(reset uuid, hash text, browser text, caller text, request text) to app;
grant execute on function app.user_id() to app;
grant execute on function app.user_id() to app_lookup;
grant execute on function app.user_id() to app_staff;
grant execute on function app.user_id() to app_student;
grant execute on function app.user_id() to app_system;
grant execute on function app.visibility() to app;
grant execute on function app.visibility() to app_lookup;
grant execute on function app.visibility() to app_staff;
grant execute on function app.visibility() to app_student;
grant execute on function app.visibility() to app_system;
grant execute on function app.wake_bot(client uuid) to app_staff;
grant execute on function app.web_push_of(person uuid) to app_system;
grant execute on function app.who_sees_task(conversation uuid, mentee uuid, lead uuid, OUT department_id uuid, OUT assignee_id uuid, OUT participant_ids uuid[]) to app_staff;
grant execute on function app.who_sees_task(conversation uuid, mentee uuid, lead uuid, OUT department_id uuid, OUT assignee_id uuid, OUT participant_ids uuid[]) to app_system;
grant execute on function app.would_see(role text, visibility text, person uuid, departments uuid[], of_department uuid, assignee uuid, participants uuid[]) to app_lookup;
grant execute on function app.zone_said_of(lead public.leads) to app_lookup;
grant execute on function app.zone_said_of(lead public.leads) to app_staff;
grant execute on function app.zone_said_of(lead public.leads) to app_system;
grant create, usage on schema app to app_lookup;
grant usage on schema app to app;
grant usage on schema app to app_staff;
grant usage on schema app to app_student;
grant usage on schema app to app_system;
grant create, usage on schema public to app_lookup;
grant usage on schema public to app;
grant usage on schema public to app_staff;
grant usage on schema public to app_student;
grant usage on schema public to app_system;
grant usage on schema public to public;
grant insert on table public.access_log to app_lookup;
grant delete, insert, select, update on table public.address_book_names to app_system;
grant delete, select, update on table public.address_book_names to app_lookup;
grant insert, select, update on table public.ai_days to app_system;
grant select on table public.ai_days to app_staff;
grant insert, select, update on table public.ai_runs to app_system;
grant select on table public.ai_runs to app_lookup;
grant select on table public.ai_runs to app_staff;
grant insert on table public.audit_log to app_lookup;
grant select on table public.bot_config to app_lookup;
grant select on table public.bot_config to app_staff;
grant select on table public.bot_config to app_system;
grant delete, select on table public.bot_flows to app_staff;
grant select on table public.bot_flows to app_lookup;
grant select on table public.bot_flows to app_system;
grant insert, select on table public.bot_steps to app_system;
grant select on table public.bot_steps to app_staff;
grant insert, select, update on table public.botconversa_subscribers to app_system;
grant select on table public.calendars to app_staff;
grant select on table public.calendars to app_system;
grant select on table public.channel_accounts to app_lookup;
grant select on table public.channel_accounts to app_staff;
grant select, update on table public.channel_accounts to app_system;
grant delete, select on table public.channel_credentials to app_staff;
grant select on table public.channel_credentials to app_system;
grant select, update on table public.channel_credentials to app_lookup;
grant delete, insert, select, update on table public.channel_members to app_lookup;
grant select on table public.channel_members to app_staff;
grant select on table public.channel_members to app_system;
grant insert, select on table public.channel_notices to app_system;
grant select on table public.channel_notices to app_staff;
grant insert, select, update on table public.channels to app_lookup;
grant select on table public.channels to app_staff;
grant select on table public.channels to app_system;
grant delete, insert, select on table public.chat_mentions to app_lookup;
grant select on table public.chat_mentions to app_staff;
grant select on table public.chat_mentions to app_system;
grant insert, select on table public.chat_message_files to app_lookup;
grant select on table public.chat_message_files to app_staff;
grant select on table public.chat_message_files to app_system;
grant insert on table public.chat_message_revisions to app_lookup;
grant select on table public.chat_message_revisions to app_staff;
grant select on table public.chat_message_revisions to app_system;
grant select on table public.chat_messages to app_staff;
grant select on table public.chat_messages to app_system;
grant select, update on table public.chat_messages to app_lookup;
grant delete, select on table public.chat_pins to app_staff;
grant select on table public.chat_pins to app_lookup;
grant select on table public.chat_pins to app_system;
grant delete, select on table public.chat_reactions to app_staff;
grant select on table public.chat_reactions to app_system;
grant insert, select, update on table public.chat_thread_followers to app_lookup;
grant select on table public.chat_thread_followers to app_staff;
grant select on table public.chat_thread_followers to app_system;
grant insert, select on table public.client_consents to app_lookup;
grant insert, select on table public.client_consents to app_system;
grant select on table public.client_consents to app_staff;
grant select on table public.client_fields to app_staff;
grant select on table public.client_fields to app_system;
grant select on table public.client_files to app_lookup;
grant select on table public.client_files to app_staff;
grant select on table public.client_files to app_system;
grant select on table public.client_history to app_staff;
grant delete, insert, select, update on table public.client_identities to app_system;
grant delete, select on table public.client_identities to app_staff;
grant insert, select on table public.client_identities to app_lookup;
grant delete, select on table public.client_import_rows to app_lookup;
grant insert, select on table public.client_import_rows to app_system;
grant select on table public.client_imports to app_lookup;
grant select on table public.client_imports to app_staff;
grant select on table public.client_imports to app_system;
grant insert, select on table public.client_merges to app_lookup;
grant insert, select on table public.client_merges to app_system;
grant select on table public.client_merges to app_staff;
grant delete, insert, select, update on table public.clients to app_system;
grant insert, select, update on table public.clients to app_lookup;
grant select on table public.clients to app_staff;
grant select on table public.clients to app_student;
grant insert, select, update on table public.companies to app_lookup;
grant select on table public.companies to app_staff;
grant select on table public.companies to app_student;
grant select on table public.companies to app_system;
grant delete, select on table public.company_emoji to app_staff;
grant select on table public.company_emoji to app_lookup;
grant select on table public.company_emoji to app_system;
grant delete, select on table public.company_secrets to app_staff;
grant select on table public.company_secrets to app_system;
grant select, update on table public.company_secrets to app_lookup;
grant select on table public.company_setup to app_staff;
grant select on table public.company_setup to app_system;
grant delete, insert, select on table public.conversation_handlers to app_lookup;
grant delete, insert, select on table public.conversation_handlers to app_system;
grant select on table public.conversation_handlers to app_staff;
grant insert, select on table public.conversation_insights to app_system;
grant select on table public.conversation_insights to app_staff;
grant delete, select on table public.conversation_preferences to app_lookup;
grant delete, select on table public.conversation_preferences to app_staff;
grant select on table public.conversation_preferences to app_system;
grant insert, select on table public.conversation_transfers to app_lookup;
grant insert, select on table public.conversation_transfers to app_system;
grant select on table public.conversation_transfers to app_staff;
grant insert, select, update on table public.conversations to app_lookup;
grant insert, select, update on table public.conversations to app_system;
grant select on table public.conversations to app_staff;
grant select on table public.conversations to app_student;
grant insert, select, update on table public.crm_conflicts to app_system;
grant select on table public.crm_conflicts to app_staff;
grant select on table public.crm_connections to app_lookup;
grant select on table public.crm_connections to app_staff;
grant select, update on table public.crm_connections to app_system;
grant delete, select on table public.crm_records to app_lookup;
grant insert, select, update on table public.crm_records to app_system;
grant select on table public.crm_records to app_staff;
grant delete, insert, select on table public.department_members to app_lookup;
grant delete, select on table public.department_members to app_staff;
grant select on table public.department_members to app_student;
grant select on table public.department_members to app_system;
grant select on table public.departments to app_lookup;
grant select on table public.departments to app_staff;
grant select on table public.departments to app_system;
grant delete, insert, select on table public.early_changes to app_system;
grant delete, select, update on table public.early_changes to app_lookup;
grant delete, insert, select on table public.early_statuses to app_system;
grant delete, select, update on table public.early_statuses to app_lookup;
grant select on table public.event_rules to app_lookup;
grant select on table public.events to app_staff;
grant select on table public.events to app_student;
grant select on table public.events to app_system;
grant delete, insert, select, update on table public.evolution_codes to app_system;
grant select on table public.evolution_codes to app_staff;
grant select on table public.evolution_instances to app_lookup;
grant select on table public.evolution_instances to app_staff;
grant select, update on table public.evolution_instances to app_system;
grant insert, select on table public.external_api_usage to app_system;
grant select on table public.external_api_usage to app_staff;
grant insert, select, update on table public.feed_epochs to app_lookup;
grant select on table public.feed_epochs to app_staff;
grant select on table public.feed_epochs to app_student;
grant select on table public.feed_epochs to app_system;
grant delete, select on table public.files to app_staff;
grant delete, select on table public.files to app_student;
grant delete, select, update on table public.files to app_lookup;
grant insert, select, update on table public.files to app_system;
grant insert, select on table public.first_answers to app_lookup;
grant insert, select, update on table public.followup_executions to app_system;
grant select on table public.followup_executions to app_lookup;
grant select on table public.followup_executions to app_staff;
grant insert, select on table public.followup_logs to app_lookup;
grant insert, select on table public.followup_logs to app_system;
grant select on table public.followup_logs to app_staff;
grant insert, select on table public.followup_optouts to app_lookup;
grant insert, select on table public.followup_optouts to app_system;
grant select on table public.followup_optouts to app_staff;
grant select on table public.followup_sequences to app_lookup;
grant select on table public.followup_sequences to app_staff;
grant select, update on table public.followup_sequences to app_system;
grant delete, select on table public.holidays to app_staff;
grant select on table public.holidays to app_system;
grant delete, select on table public.idempotency_keys to app_lookup;
grant select on table public.idempotency_keys to app_staff;
grant select on table public.idempotency_keys to app_student;
grant select on table public.idempotency_keys to app_system;
grant insert, select on table public.inbound_webhooks to app_system;
grant select on table public.inbound_webhooks to app_staff;
grant delete, select on table public.integration_calls to app_lookup;
grant insert, select on table public.integration_calls to app_system;
grant select on table public.integration_calls to app_staff;
grant select on table public.integration_prices to app_staff;
grant select on table public.integration_prices to app_system;
grant delete, insert, select, update on table public.invites to app_system;
grant select on table public.invites to app_staff;
grant select, update on table public.invites to app_lookup;
grant delete, select on table public.job_progress to app_lookup;
grant insert, select on table public.job_progress to app_system;
grant select on table public.job_progress to app_staff;
grant select on table public.job_rules to app_lookup;
grant select on table public.job_rules to app_staff;
grant delete, insert, select, update on table public.jobs to app_lookup;
grant select, update on table public.jobs to app_system;
grant insert, select on table public.knowledge_articles to app_system;
grant select on table public.knowledge_articles to app_lookup;
grant select on table public.knowledge_articles to app_staff;
grant select on table public.knowledge_embeddings to app_staff;
grant select on table public.knowledge_embeddings to app_system;
grant insert, select on table public.knowledge_import_rows to app_system;
grant select on table public.knowledge_import_rows to app_staff;
grant delete, insert, select on table public.knowledge_misses to app_system;
grant insert, select, update on table public.knowledge_proposals to app_lookup;
grant select on table public.knowledge_proposals to app_staff;
grant select on table public.knowledge_proposals to app_system;
grant insert, select on table public.knowledge_revisions to app_lookup;
grant select on table public.knowledge_revisions to app_staff;
grant select on table public.knowledge_revisions to app_system;
grant select on table public.knowledge_synonyms to app_lookup;
grant select on table public.knowledge_synonyms to app_staff;
grant select on table public.knowledge_synonyms to app_system;
grant delete, insert, select, update on table public.knowledge_terms to app_lookup;
grant insert, select on table public.knowledge_uses to app_system;
grant select on table public.knowledge_uses to app_staff;
grant insert, select on table public.knowledge_vocabulary to app_lookup;
grant delete, insert, select, update on table public.known_devices to app_lookup;
grant insert, select on table public.lead_automations to app_lookup;
grant select on table public.lead_automations to app_staff;
grant select on table public.lead_automations to app_system;
grant insert, select on table public.lead_changes to app_lookup;
grant select on table public.lead_changes to app_staff;
grant select on table public.lead_changes to app_system;
grant select on table public.lead_fields to app_staff;
grant select on table public.lead_fields to app_system;
grant select on table public.lead_history to app_staff;
grant delete, select on table public.lead_import_rows to app_lookup;
grant insert, select on table public.lead_import_rows to app_system;
grant select on table public.lead_imports to app_lookup;
grant select on table public.lead_imports to app_staff;
grant select on table public.lead_imports to app_system;
grant insert, select on table public.lead_interactions to app_lookup;
grant insert, select on table public.lead_interactions to app_system;
grant select on table public.lead_interactions to app_staff;
grant select on table public.lead_merges to app_staff;
grant select on table public.lead_merges to app_system;
grant insert, select on table public.lead_proposals to app_system;
grant select on table public.lead_scoring to app_staff;
grant select on table public.lead_scoring to app_system;
grant insert, select on table public.lead_stages to app_lookup;
grant select on table public.lead_stages to app_staff;
grant select on table public.lead_stages to app_system;
grant select on table public.leads to app_lookup;
grant select on table public.leads to app_staff;
grant select, update on table public.leads to app_system;
grant delete, insert, select, update on table public.login_challenges to app_lookup;
grant delete on table public.mail_accounts to app_staff;
grant select on table public.mail_accounts to app_system;
grant select, update on table public.mail_accounts to app_lookup;
grant select on table public.mail_rules to app_lookup;
grant delete, insert, select on table public.mails to app_lookup;
grant select on table public.mails to app_staff;
grant select on table public.mails to app_system;
grant insert, select, update on table public.memberships to app_lookup;
grant select on table public.memberships to app_staff;
grant select on table public.memberships to app_student;
grant select on table public.memberships to app_system;
grant insert on table public.mentee_evolution_revisions to app_lookup;
grant select on table public.mentee_evolution_revisions to app_staff;
grant select on table public.mentee_evolution_revisions to app_system;
grant select on table public.mentee_evolutions to app_lookup;
grant select on table public.mentee_evolutions to app_staff;
grant select on table public.mentee_evolutions to app_student;
grant select on table public.mentee_evolutions to app_system;
grant select on table public.mentee_feedback to app_staff;
grant select on table public.mentee_feedback to app_student;
grant select on table public.mentee_feedback to app_system;
grant select on table public.mentees to app_staff;
grant select on table public.mentees to app_student;
grant select on table public.mentees to app_system;
grant select, update on table public.mentees to app_lookup;
grant select on table public.message_templates to app_staff;
grant select, update on table public.message_templates to app_system;
grant insert, select, update on table public.messages to app_system;
grant select on table public.messages to app_lookup;
grant select on table public.messages to app_staff;
grant select on table public.messages to app_student;
grant select on table public.note_revisions to app_staff;
grant select on table public.note_revisions to app_system;
grant delete, select on table public.notes to app_system;
grant select on table public.notes to app_lookup;
grant select on table public.notes to app_staff;
grant delete, insert, select, update on table public.notification_causes to app_lookup;
grant select on table public.notification_causes to app_system;
grant insert, select, update on table public.notification_heads to app_lookup;
grant select on table public.notification_heads to app_system;
grant select on table public.notification_preferences to app_lookup;
grant select on table public.notification_preferences to app_staff;
grant select on table public.notification_preferences to app_student;
grant select on table public.notification_preferences to app_system;
grant select on table public.notification_types to app_lookup;
grant select on table public.notification_types to app_staff;
grant select on table public.notification_types to app_student;
grant select on table public.notification_types to app_system;
grant delete, insert, select, update on table public.notifications to app_lookup;
grant select on table public.notifications to app_staff;
grant select on table public.notifications to app_student;
grant select on table public.notifications to app_system;
grant delete, insert, select on table public.object_removals to app_system;
grant delete, insert, select, update on table public.object_removals to app_lookup;
grant delete, select on table public.object_removals to app_staff;
grant delete, select on table public.object_removals to app_student;
grant delete, insert, select, update on table public.password_resets to app_lookup;
grant select on table public.password_resets to app_system;
grant insert, select on table public.pipelines to app_lookup;
grant select on table public.pipelines to app_staff;
grant select on table public.pipelines to app_system;
grant select on table public.presence_corrections to app_staff;
grant select on table public.presence_corrections to app_system;
grant insert, select, update on table public.presence_intervals to app_lookup;
grant select on table public.presence_intervals to app_staff;
grant select on table public.presence_intervals to app_system;
grant delete, select on table public.presence_leases to app_lookup;
grant delete, select on table public.presence_leases to app_system;
grant select on table public.presence_leases to app_staff;
grant select on table public.presence_leases to app_student;
grant insert, select, update on table public.protocol_blocks to app_lookup;
grant select on table public.protocol_blocks to app_staff;
grant select on table public.protocol_blocks to app_system;
grant delete, select on table public.quick_replies to app_staff;
grant select on table public.quick_replies to app_lookup;
grant select on table public.quick_replies to app_system;
grant select on table public.quick_reply_uses to app_system;
grant delete, insert, select, update on table public.recovery_codes to app_lookup;
grant delete, insert, select, update on table public.refresh_tokens to app_lookup;
grant insert, select, update on table public.schedule_runs to app_lookup;
grant select on table public.schedule_runs to app_staff;
grant select on table public.scheduled_chat_messages to app_lookup;
grant select on table public.scheduled_chat_messages to app_staff;
grant select on table public.scheduled_chat_messages to app_system;
grant select on table public.scheduled_messages to app_lookup;
grant select on table public.scheduled_messages to app_staff;
grant select, update on table public.scheduled_messages to app_system;
grant delete, insert, select, update on table public.second_factors to app_lookup;
grant delete, insert, select, update on table public.sessions to app_lookup;
grant delete, select on table public.stages to app_staff;
grant insert, select on table public.stages to app_lookup;
grant select on table public.stages to app_system;
grant delete, select on table public.tags to app_staff;
grant insert, select on table public.tags to app_lookup;
grant select on table public.tags to app_system;
grant delete, select on table public.tasks to app_staff;
grant insert, select on table public.tasks to app_lookup;
grant select on table public.tasks to app_system;
grant delete, insert, select, update on table public.unrouted_webhooks to app_lookup;
grant insert, select on table public.users to app_lookup;
grant delete, select on table public.views to app_staff;
grant select on table public.views to app_lookup;
grant select on table public.views to app_system;
grant delete on table public.web_push_subscriptions to app_staff;
grant delete on table public.web_push_subscriptions to app_student;
grant delete, insert, select, update on table public.web_push_subscriptions to app_lookup;
grant delete, select on table public.web_push_subscriptions to app_system;
