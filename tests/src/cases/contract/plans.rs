//! How the functions' statements are carried out: of a table with many rows of somebody else's nobody reads all.

use std::{collections::BTreeMap, sync::Arc};

use tests::{Stack, each, eventually, openapi::Operation};
use tokio_postgres::Client;

use super::{inventory::binaries, sample::Fixture};

/// Rows of sixty other companies, in every table that grows. A job that other tests have left behind is one of a batch that is sent again, and
/// batches that are a good part of a table are rightly joined with all of it.
const FILL: &str = "
    update jobs set finished_at = now(), leased_until = null where finished_at is null;
    create temporary table filled as
        select company_id, channel_id, gen_random_uuid() as id, gen_random_uuid() as client_id, row_number() over () as number
          from (select gen_random_uuid() as company_id, gen_random_uuid() as channel_id from generate_series(1, 60)) companies,
               generate_series(1, 50);
    create temporary table filled_companies as select distinct company_id, channel_id from filled;
    insert into companies (id, name, slug) select company_id, 'Escola cheia', company_id from filled_companies;
    insert into channel_accounts (id, company_id, kind, external_key, name)
    select channel_id, company_id, 'whatsapp_cloud', channel_id, 'WhatsApp' from filled_companies;
    insert into users (id, email, name, password_hash) select company_id, company_id || '@exemplo.com', 'Alguém', '' from filled_companies;
    insert into memberships (company_id, user_id, role) select company_id, company_id, 'admin' from filled_companies;
    insert into users (id, email, name, password_hash) select id, id || '@exemplo.com', 'Alguém', '' from filled;
    insert into memberships (company_id, user_id, role) select company_id, id, 'agent' from filled;
    insert into clients (id, company_id, name) select client_id, company_id, 'Cliente ' || number from filled;
    insert into client_identities (company_id, client_id, kind, value, address)
    select company_id, client_id, 'phone', '5511' || (900000000 + number), '5511' || (900000000 + number) from filled;
    insert into conversations (id, company_id, client_id, channel_account_id, mode, ended_at)
    select id, company_id, client_id, channel_id, 'human', now() from filled;
    insert into conversation_handlers (company_id, conversation_id, user_id) select company_id, id, id from filled on conflict do nothing;
    insert into messages (id, company_id, conversation_id, channel_account_id, sender_type, kind, body, provider_id, sent_at)
    select gen_random_uuid(), company_id, id, channel_id, 'client', 'text', 'Bom dia ' || number, 'wamid.F' || id, now() from filled;
    insert into events (company_id, topic, type, data) select company_id, 'company:x', 'note.filled', '{}' from filled;
    insert into jobs (id, company_id, kind, queue, lane, payload, finished_at)
    select gen_random_uuid(), company_id, 'x', 'bot', id::text, '{}', now() from filled;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, outcome)
    select gen_random_uuid(), company_id, channel_id, 'x', '', '[]' from filled;
    insert into job_progress (id, company_id, kind, state, finished_at) select id, company_id, 'x', 'done', now() from filled;
    insert into files (id, company_id, conversation_id, name, mime_type, size, storage_key, status, completed_at)
    select id, company_id, id, 'a.pdf', 'application/pdf', 1, 'company/' || company_id || '/' || id, 'ready', now() from filled;
    insert into sessions (id, family_id, company_id, user_id, expires_at)
    select id, id, company_id, company_id, now() + interval '1 day' from filled;
    insert into web_push_subscriptions (id, company_id, user_id, session_id, endpoint, endpoint_hash, p256dh, auth, server_key, refreshed_at)
    select id, company_id, company_id, id, 'https://push.example.com/' || id, sha256(id::text::bytea), decode(repeat('04', 65), 'hex'),
           decode(repeat('00', 16), 'hex'), 'x', now()
      from filled;
    insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
    select sha256(id::text::bytea), company_id, id, now() + interval '1 day' from filled;
    insert into idempotency_keys (company_id, user_id, route, key, request_hash) select company_id, company_id, 'x', id::text, '' from filled;
    insert into audit_log (company_id, action) select company_id, 'x' from filled;
    insert into access_log (company_id, action, target) select company_id, 'x', id::text from filled;
    insert into integration_calls (id, company_id, provider, operation, took_ms) select id, company_id, 'x', 'x', 1 from filled;
    insert into knowledge_articles (id, company_id, title, answer, lines, terms, weights)
    select id, company_id, 'Artigo ' || number, 'Texto', array['artig ' || number], array['artig', number::text, 'vensiment'], array[1, 0.7, 0.2]
      from filled;
    insert into knowledge_uses (id, company_id, article_id, user_id, helped, query) select id, company_id, id, company_id, false, 'x' from filled;
    insert into knowledge_proposals (id, company_id, kind, evidence_key, evidence) select id, company_id, 'learned', id::text, '{}' from filled;
    insert into knowledge_misses (company_id, query, terms, audience, score) select company_id, 'x y', array['x', 'y'], 'bot', 0 from filled;
    insert into bot_flows (id, company_id, key, number, definition, published_at)
    select company_id, company_id, 'f', 1, '{}', now() from filled_companies;
    insert into bot_steps (company_id, conversation_id, bot_flow_id, turn, node, outcome)
    select company_id, id, company_id, 1, 'x', 'passed' from filled;
    insert into ai_runs (id, company_id, purpose, prompt, model, status, conversation_id, day, claimed_tokens)
    select id, company_id, 'summary', 'x', 'x', 'done', id, current_date, 1 from filled;
    insert into conversation_insights (id, company_id, conversation_id, kind, value, run_id)
    select id, company_id, id, 'summary', 'x', id from filled;
    insert into presence_intervals (company_id, user_id, started_at, ended_at, state, cause, end_cause)
    select company_id, id, now() - interval '2 hours', now() - interval '1 hour', 'online', 'connect', 'disconnect' from filled;
    insert into presence_corrections (id, company_id, interval_id, user_id, by_id, note, after)
    select id, company_id, id, user_id, user_id, 'x', '{}' from presence_intervals where end_cause = 'disconnect' and company_id in (select company_id from filled);
    insert into first_answers (company_id, conversation_id, user_id, asked_at, answered_at) select company_id, id, id, now(), now() from filled;
    insert into channels (id, company_id, kind, name, name_key, created_by_id) select id, company_id, 'public', 'c' || number, 'c' || number, id from filled;
    insert into channel_members (company_id, channel_id, user_id) select company_id, id, company_id from filled;
    insert into chat_messages (id, company_id, channel_id, place, is_in_channel, author_id, body)
    select gen_random_uuid(), company_id, id, 1, true, company_id, 'Bom dia ' || number from filled;
    insert into chat_thread_followers (company_id, root_id, channel_id, user_id)
    select company_id, id, channel_id, author_id from chat_messages where company_id in (select company_id from filled);
    insert into notifications (id, company_id, user_id, type, group_key, source_id, on_screen, by_mail, by_push)
    select id, company_id, company_id, 'message', id::text, id, true, false, false from filled;
    insert into notification_causes (company_id, user_id, cause, group_key, source_id)
    select company_id, company_id, id::text, id::text, id from filled;
    insert into notification_heads (company_id, user_id) select company_id, id from filled on conflict do nothing;
    insert into mentees (id, company_id, client_id, mentor_id, entry_month) select id, company_id, client_id, id, '2026-01-01' from filled;
    insert into mentee_evolutions (id, company_id, mentee_id, month, revenue, entered_by, updated_by)
    select id, company_id, id, '2026-01-01', 1, id, id from filled;
    insert into mentee_evolution_revisions (company_id, evolution_id, version, figures, told_by, told_at)
    select company_id, id, 1, '{}', id, now() from filled;
    insert into mentee_feedback (id, company_id, mentee_id, date, overall, author_id) select id, company_id, id, current_date, 9, id from filled;
    insert into tasks (id, company_id, kind, title, owner_id, created_by, due_at, series_id, client_id)
    select id, company_id, 'call', 'Ligar ' || number, id, id, now() + interval '1 day', id, client_id from filled;
    insert into leads (id, company_id, pipeline_id, stage_id, rank, name, phone, client_id)
    select filled.id, filled.company_id, stages.pipeline_id, stages.id, 50000000 + number, 'Lead ' || number, '55119' || (10000000 + number), client_id
      from filled
      join stages on stages.company_id = filled.company_id and stages.key = 'new';
    insert into followup_sequences (id, company_id, name, steps, window_start, window_end, weekdays, pause_weekends, pause_holidays, max_per_day,
                                    created_by_id)
    select id, company_id, 's' || number, '[{\"kind\": \"task\"}]', '09:00', '18:00', '{monday}', true, true, 5, id from filled;
    insert into followup_executions (id, company_id, sequence_id, lead_id, status, reason, finished_at)
    select id, company_id, id, id, 'cancelled', 'by_hand', now() from filled;
    insert into followup_logs (company_id, execution_id, step, attempt, kind, outcome) select company_id, id, 0, 1, 'task', 'task' from filled;
    insert into followup_optouts (company_id, kind, value, source) select company_id, 'lead', id::text, 'word' from filled;
    insert into crm_records (company_id, lead_id, crm_id) select company_id, id, id from filled;
    insert into crm_conflicts (company_id, lead_id, crm_id, kind, field) select company_id, id, id, 'field', 'name' from filled;
    insert into lead_changes (company_id, lead_id, changes) select company_id, id, '{}' from filled;
    insert into lead_automations (company_id, entry_id, place, lead_id, automation, outcome, at)
    select filled.company_id, lead_stages.id, 0, filled.id, '{\"kind\": \"task\", \"title\": \"Ligar\"}', 'done', now()
      from filled join lead_stages on lead_stages.company_id = filled.company_id and lead_stages.lead_id = filled.id;
    insert into lead_proposals (id, company_id, lead_id, run_id, asked_by, proposed, quotes, dropped)
    select id, company_id, id, id, id, '{}', '[]', 0 from filled;
    insert into lead_interactions (id, company_id, lead_id, author_id, type, summary, result)
    select id, company_id, id, id, 'call', 'Ligou', 'contacted' from filled;
    drop table filled, filled_companies;
    analyze";

/// Rows read by reading whole tables, and rows that there are, of tables with more than so many.
const READ: &str = "
    select relname::text, seq_tup_read, n_live_tup
      from pg_stat_user_tables
      join pg_attribute on attrelid = relid and attname = 'company_id' and not attisdropped
     where n_live_tup > $1::bigint";

/// As many as `FILL` makes: what other tests have made alone is no measure.
const MANY: i64 = 2900;

/// Each a few times: a statement that has been asked often is planned once for all.
const TIMES: usize = 7;

pub async fn no_function_reads_all_of_a_table(stack: Arc<Stack>) {
    let database = stack.database().await;
    database.batch_execute(FILL).await.expect("many rows");
    // What the tests themselves ask is none of the functions' business.
    database.batch_execute("alter role current_user set enable_seqscan = off").await.expect("the owner's own setting");
    let before = read(&database, 0).await;
    let mut operations = stack.openapi.operations();
    operations.retain(|operation| operation.alias_of.is_none());
    for round in 0..TIMES {
        // Somebody else each time: one caller has only so many requests a minute.
        let fixture = Fixture::make(Arc::clone(&stack)).await;
        let ask = async |operation: Operation| drop(fixture.run(&operation.id).await);
        each(operations.clone(), ask).await;
        if round == 0 {
            for function in binaries().into_iter().filter(|name| !operations.iter().any(|operation| operation.id == *name)) {
                fixture.run(&function).await;
            }
        }
    }
    let after = read(&database, MANY).await;
    database.batch_execute("alter role current_user reset enable_seqscan").await.expect("the owner's own setting");
    assert!(after.len() > 12, "{after:?}");
    let wrong: Vec<String> = after
        .iter()
        .filter_map(|(table, (rows_read, rows))| {
            let more = rows_read - before.get(table).map_or(0, |(rows_read, _)| *rows_read);
            (more >= *rows / 2).then(|| format!("{table}: {more} rows read of {rows}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The figures of connections that have ended are in: those of the functions end, and are made again with their next request.
async fn read(database: &Client, more_than: i64) -> BTreeMap<String, (i64, i64)> {
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'balcao'";
    eventually("no connection of a function", || async {
        database.query(end, &[]).await.expect("the database answers").is_empty().then_some(())
    })
    .await;
    let rows = database.query(READ, &[&more_than]).await.expect("figures");
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}
