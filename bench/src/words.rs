//! Messages with these words, over HTTP, among two million.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use tests::Stack;

use crate::{desk::Desk, lists::Caller, report::Report};

const AIM: f64 = 50.0;

pub async fn run(stack: &Stack, desk: &Desk, report: &mut Report) -> Result<()> {
    let company = &desk.company;
    let department = company.departments[1].1;
    let agent = company.agents[1].id;
    // Of 34 days.
    let long_ago = Timestamp::now() - SignedDuration::from_hours(33 * 24);
    let asked = [
        // A seventh of all.
        ("boleto", "search=boleto".to_owned()),
        ("mensalidades, by its stem", "search=mensalidades".to_owned()),
        ("inglês horário", "search=ingles%20horario".to_owned()),
        // A few thousand, a few hundred, none.
        ("333", "search=333".to_owned()),
        ("boleto 333", "search=boleto%20333".to_owned()),
        ("zebra", "search=zebra".to_owned()),
        ("boleto zebra", "search=boleto%20zebra".to_owned()),
        ("boleto, oldest first", "search=boleto&order=asc".to_owned()),
        ("boleto, of clients", "search=boleto&sender_type=client".to_owned()),
        ("boleto, of an agent", format!("search=boleto&sender_id={agent}")),
        ("333, of an agent", format!("search=333&sender_id={agent}")),
        ("boleto, in a department", format!("search=boleto&department_id={department}")),
        ("boleto, of the long conversation", format!("search=boleto&conversation_id={}", desk.long)),
        ("boleto, documents", "search=boleto&kind=document".to_owned()),
        ("boleto, of a month ago", format!("search=boleto&to={long_ago}")),
        ("boleto, of a time without any", "search=boleto&from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z".to_owned()),
    ];
    for (role, person) in [("agent", &company.agents[0]), ("supervisor", &company.supervisor)] {
        let caller = Caller::of(stack, person);
        for (name, query) in &asked {
            report.add(caller.measure("words", format!("{role}: {name}"), &format!("/messages/search?{query}")).await?.aim(AIM));
        }
    }
    Ok(())
}
