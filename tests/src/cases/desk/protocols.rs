//! The numbers of conversations: one each, of their company's local day, found and told.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::{Timestamp, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

async fn set(company: &Company, settings: Value) {
    company.admin.api.call(Method::PUT, &format!("/companies/{}", company.id), Some(settings)).await.expect(200);
}

/// The protocol of a new client's conversation.
async fn protocol(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    text(&company.admin.conversation_of(&client).await["protocol"]).to_owned()
}

pub async fn each_conversation_has_a_number_of_its_day(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    // On the two sides of the line on which days begin, it is never the same day.
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        set(&company, json!({"time_zone": zone})).await;
        let day = || Timestamp::now().to_zoned(TimeZone::get(zone).expect("a zone")).strftime("%Y%m%d").to_string();
        let before = day();
        let given = join_all((0..12).map(|_| protocol(&company))).await;
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 12, "{given:?}");
        for number in &given {
            let (of_day, number) = number.split_once('-').expect("a day and a number");
            assert!([before.clone(), day()].contains(&of_day.to_owned()), "{of_day}");
            assert_eq!(number.len(), 5);
        }
        let first = format!("{}-00001", &given[0][..8]);
        assert!(given.contains(&first), "{given:?}");
        let page = company.admin.api.get(&format!("/conversations?search={first}")).await.expect(200);
        let found: Vec<&str> = page["data"].as_array().expect("rows").iter().map(|row| text(&row["protocol"])).collect();
        assert_eq!(found, [first.as_str()]);
        let page = other.admin.api.get(&format!("/conversations?search={first}")).await.expect(200);
        assert_eq!(page["data"], json!([]));
    }
    assert!(protocol(&other).await.ends_with("-00001"));
}

pub async fn nobody_waits_for_a_number(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    protocol(&company).await;
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let open = "
        insert into conversations (id, company_id, client_id, channel_account_id, mode, ended_at)
        select gen_random_uuid(), company_id, client_id, channel_account_id, 'human', now() from conversations where company_id = $1
        returning protocol";
    let held: String = database.query_one(open, &[&company.id]).await.expect("a conversation").get(0);
    let meanwhile = tokio::time::timeout(Duration::from_secs(3), protocol(&company)).await.expect("nothing is waited for");
    database.batch_execute("rollback").await.expect("it never was");
    assert_ne!(held, meanwhile);
    let later = protocol(&company).await;
    assert!(later != meanwhile && later.ends_with("-00002"), "{later}");
}

pub async fn clients_are_told_the_number_where_the_company_says_it(stack: Arc<Stack>) {
    let takeover_text = Some("Protocolo {{protocol}}, com {{agent.name}}.");
    let company = stack.company(Wanted { agents: 1, students: 0, takeover_text, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let protocol = company.admin.conversation(&id).await["protocol"].clone();
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!(text(&sent[0]["body"]["text"]["body"]), format!("Protocolo {}, com Bruna Lima.", text(&protocol)));
}
