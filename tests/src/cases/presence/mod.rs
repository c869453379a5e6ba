//! When people were there: the ledger behind sockets, breaks, corrections, and the figures of days.

mod breaks;
mod correcting;
mod figures;
mod ledger;
mod oracle;
pub mod presence_killed;

use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack,
    company::{Person, text},
    eventually,
};

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use breaks as presence_breaks;
    use correcting as presence_correcting;
    use figures as presence_figures;
    use ledger as presence_ledger;
    use oracle as presence_oracle;
    cases! {
        presence_breaks::{
            a_break_is_on_all_tabs_and_is_one,
            a_break_past_its_limit_is_shown,
            what_is_no_break_is_refused,
            a_companys_breaks_are_its_own,
            colleagues_are_not_told_what_a_break_is_for,
        };
        presence_correcting::{
            a_supervisor_adds_and_corrects_intervals,
            what_is_in_the_way_is_shown,
            nonsense_is_refused_and_changes_nothing,
            of_many_who_add_at_once_one_does,
            its_owner_and_who_leads_are_told,
        };
        presence_figures::{
            days_that_are_none_are_refused,
            a_zone_nobody_knows_is_no_failure,
            what_people_do_in_conversations_is_counted,
            lateness_is_judged_by_the_calendar,
            figures_are_for_who_leads_and_ones_own,
            the_panel_is_a_table_too,
        };
        presence_ledger::{
            what_sockets_show_is_kept_without_gaps,
            tabs_that_open_and_close_at_once_leave_no_doubt,
            a_lapse_ends_where_the_lease_did,
            an_ended_session_ends_it,
            a_clock_put_back_ends_nothing_before_its_beginning,
        };
        presence_oracle::{
            any_trace_is_what_happened_to_the_second,
        };
    }
}

/// The last intervals of somebody, the newest last, as their time line shows them.
async fn intervals(company: &Company, person: &Person) -> Vec<Value> {
    let path = format!("/productivity/users/{}/timeline?from={}", person.id, days_ago(2));
    let timeline = company.supervisor.api.get(&path).await.expect(200);
    timeline["data"].as_array().cloned().unwrap_or_default()
}

fn states(intervals: &[Value]) -> Vec<&str> {
    intervals.iter().map(|interval| text(&interval["state"])).collect()
}

async fn current(person: &Person) -> Value {
    person.api.get("/productivity/me").await.expect(200)["current"].clone()
}

/// Once nobody is there any more.
async fn until_gone(person: &Person) {
    eventually("nobody there", || async { current(person).await.is_null().then_some(()) }).await;
}

/// The clock's next second, so that what comes is not within the one that was.
async fn next_second() {
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
}

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("America/Sao_Paulo").expect("a zone")).date()
}

fn days_ago(days: i32) -> jiff::civil::Date {
    today() - jiff::Span::new().days(days)
}

async fn start_break(person: &Person, reason: &str) -> Answer {
    person.api.post("/productivity/breaks", json!({"reason": reason})).await
}

/// So many seconds go by for somebody: what was written moves into the past, and nothing follows from that. The oldest moves first, into what is
/// nobody's.
async fn let_pass(database: &tokio_postgres::Client, person: uuid::Uuid, seconds: i64) {
    let sql = format!(
        "do $$
         declare
             before presence_intervals;
             moved constant interval := '{seconds} seconds';
         begin
             create temporary table kept on commit drop as select * from presence_intervals where user_id = '{person}';
             update presence_leases set lease_until = lease_until - moved where user_id = '{person}';
             for before in select * from kept order by started_at, ended_at loop
                 update presence_intervals
                    set started_at = before.started_at - moved, ended_at = before.ended_at - moved, end_cause = before.end_cause
                  where id = before.id;
             end loop;
         end
         $$"
    );
    database.batch_execute(&sql).await.expect("time passes");
}

async fn execute(stack: &Stack, sql: &str, parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)]) -> u64 {
    stack.database().await.execute(sql, parameters).await.expect(sql)
}
