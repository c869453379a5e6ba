//! A company with years of conversations, written by SQL.

use anyhow::Result;
use tests::{Company, Stack, Wanted};
use tokio_postgres::Client;
use uuid::Uuid;

/// One that serves customers, with many conversations behind them.
pub struct Desk {
    pub company: Company,
    /// Open and assigned to the first agent, whom the client has written to within a day.
    pub own: Uuid,
    /// With the most messages of all.
    pub long: Uuid,
}

/// Conversations of an agent's first ten thousand are open, one in a hundred of which is put off; one in fifty is followed by somebody. 50 are
/// fifty times longer than the others.
const CONVERSATIONS: &str = "
    insert into clients (id, company_id, name, email, tags)
    select bench_id(now() - number * interval '7 minutes'), $1,
           (array['Ana', 'Bruno', 'Carla', 'Davi', 'Elisa', 'Fábio', 'Gabriela', 'Heitor', 'Íris', 'João'])[1 + number % 10] || ' ' ||
           (array['Almeida', 'Barros', 'Cardoso', 'Dantas', 'Esteves', 'Farias', 'Gomes'])[1 + number / 10 % 7] || ' ' || number,
           'cliente' || number || '@exemplo.com', '{}'
      from generate_series(0, $2 / 2 - 1) number;
    create temporary table client_numbers as
        select id, row_number() over (order by id desc) - 1 as place from clients where company_id = $1 and email like 'cliente%';
    create unique index on client_numbers (place);
    insert into client_identities (company_id, client_id, kind, value, address)
    select $1, id, 'phone', '55119' || (30000000 + place), '55119' || (30000000 + place) from client_numbers;
    insert into conversations (id, company_id, client_id, channel_account_id, department_id, assignee_id, mode, priority, tags,
                               last_message_at, last_message_preview, inbound_count, read_count, window_expires_at, started_at, ended_at,
                               participant_ids, snoozed_at, snoozed_until)
    select bench_id(at), $1, client_numbers.id, $3, departments[1 + number % 6],
           case when number % 10 >= 5 or number >= $2 / 10 then agents[1 + number / 10 % 10] end,
           case when number < $2 / 10 and number % 10 < 2 then 'bot' else 'human' end,
           (array['low', 'normal', 'high', 'urgent'])[1 + number % 4],
           case when number % 20 = 0 then array['matrícula'] else '{}' end,
           at, 'Obrigada, era isso mesmo.', 10, case when number < $2 / 10 and number % 3 = 0 then 8 else 10 end,
           at + interval '24 hours', at - interval '2 hours', case when number >= $2 / 10 then at end,
           case when number % 50 = 0 then array[agents[1 + number / 50 % 10]] else '{}' end,
           case when number < $2 / 10 and number % 100 = 7 then now() end,
           case when number < $2 / 10 and number % 100 = 7 then now() + interval '1 day' end
      from generate_series(0, $2 - 1) number
      cross join lateral (select now() - number * interval '5 minutes' / 10 as at) time
      join client_numbers on client_numbers.place = number % ($2 / 2);";

const MESSAGES: &str = "
    create temporary table conversation_numbers as
        select id, assignee_id, last_message_at as at, row_number() over (order by last_message_at desc) - 1 as number
          from conversations where company_id = $1;
    insert into messages (id, company_id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, provider_id,
                          client_message_id, status, inbound_number, sent_at)
    select bench_id(sent_at), $1, id, $3,
           case when position % 2 = 0 then 'client' else 'agent' end,
           case when position % 2 = 1 then assignee_id end, 'text',
           (array['Bom dia, tudo bem?', 'Quero saber o valor da mensalidade', 'Segue o comprovante de pagamento em anexo',
                  'Qual é o horário da turma de inglês?', 'Pode me enviar a segunda via do boleto?', 'Obrigada, era isso mesmo.',
                  'Vou verificar com a coordenação e já retorno'])[1 + (number * 3 + position * 5) % 7] || ' ' || number % 977,
           'wamid.' || number || '.' || position,
           case when position % 2 = 1 then number || '.' || position end,
           case when position % 2 = 1 then 'read' end,
           case when position % 2 = 0 then position / 2 + 1 end, sent_at
      from conversation_numbers
      cross join lateral generate_series(0, case when number % ($2 / 50) = 3 then 1019 else 18 end) position
      cross join lateral (select at - position * interval '1 minute' as sent_at) time;";

/// Like version 7: the time first, so that neighbours in time are neighbours in indexes.
pub const ID: &str = "
    create or replace function pg_temp.bench_id(at timestamptz) returns uuid language sql volatile as $$
        select overlay(overlay(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || substr(md5(random()::text), 1, 20)
               placing '7' from 13 for 1) placing '8' from 17 for 1)::uuid $$";

/// Makes the company and its past. Indexes are set aside while rows are added.
pub async fn make(stack: &Stack, conversations: u32) -> Result<Desk> {
    let everybody: Vec<usize> = (1..=10).collect();
    let departments = vec![
        ("Atendimento", everybody),
        ("Financeiro", vec![1, 2]),
        ("Secretaria", vec![3, 4]),
        ("Vendas", vec![1, 5, 6]),
        ("Pedagógico", vec![7, 8, 9]),
    ];
    let company = stack.company(Wanted { agents: 10, departments, ..Wanted::default() }).await;
    let database = stack.database().await;
    database.batch_execute(ID).await?;
    let aside = set_indexes_aside(&database).await?;
    let list = |ids: Vec<Uuid>| ids.iter().map(|id| format!("'{id}'::uuid")).collect::<Vec<_>>().join(", ");
    let departments = list(company.departments.iter().map(|(_, id)| *id).collect());
    let agents = list(company.agents.iter().map(|agent| agent.id).collect());
    for sql in [CONVERSATIONS, MESSAGES] {
        let sql = sql
            .replace("bench_id(", "pg_temp.bench_id(")
            .replace("$1", &format!("'{}'::uuid", company.id))
            .replace("$2", &conversations.to_string())
            .replace("$3", &format!("'{}'::uuid", company.channel_account_id))
            // One in six belongs to no department.
            .replace("departments[", &format!("(array[{departments}])["))
            .replace("agents[", &format!("(array[{agents}])["));
        database.batch_execute(&sql).await?;
    }
    database.batch_execute("set maintenance_work_mem = '1GB'").await?;
    for index in aside {
        database.batch_execute(&index).await?;
    }
    for table in ["clients", "client_identities", "conversations", "messages"] {
        database.batch_execute(&format!("vacuum analyze {table}")).await?;
    }
    let own = "select id from conversations where company_id = $1 and assignee_id = $2 and ended_at is null
                  and window_expires_at > now() + interval '1 hour' order by last_message_at desc limit 1";
    let own = database.query_one(own, &[&company.id, &company.agents[0].id]).await?.get(0);
    let long = "select conversation_id from messages where company_id = $1 group by 1 order by count(*) desc limit 1";
    let long = database.query_one(long, &[&company.id]).await?.get(0);
    Ok(Desk { company, own, long })
}

/// Drops the indexes and foreign keys of `messages`, but for what other tables refer to; what makes them again.
async fn set_indexes_aside(database: &Client) -> Result<Vec<String>> {
    let sql = "select format('alter table messages drop constraint %I', conname),
                      format('alter table messages add constraint %I %s', conname, pg_get_constraintdef(oid))
                 from pg_constraint own
                where conrelid = 'messages'::regclass and contype in ('f', 'u')
                  and not exists (select from pg_constraint other
                                   where other.confrelid = own.conrelid and other.conindid = own.conindid and other.contype = 'f')
               union all
               select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
                 from pg_index where indrelid = 'messages'::regclass and not indisunique";
    let mut made_again = Vec::new();
    for row in database.query(sql, &[]).await? {
        database.batch_execute(row.get(0)).await?;
        made_again.push(row.get(1));
    }
    Ok(made_again)
}
