//! GET /integrations/costs, and what of statuses it is made of.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text};

use super::{company, fields};

/// A message that was sent, of which the sandbox tells nothing by itself. Answers WhatsApp's id of it.
async fn sent(company: &Company) -> String {
    company.phone.post("/whatsapp/settings", json!({"phone_number_id": company.phone.number_id, "statuses": false})).await;
    let (_, conversation) = company.served().await;
    let before = company.phone.sent().await.len();
    company.agents[0].say(&conversation, "Bom dia!").await;
    text(&company.phone.sent_at_least(before + 1).await[before]["id"]).to_owned()
}

async fn tell(company: &Company, wamid: &str, status: &str, more: Value) {
    let mut order = json!({"phone_number_id": company.phone.number_id, "id": wamid, "status": status, "with": {}});
    order["with"] = more;
    let attempt = company.phone.post("/whatsapp/status", order).await;
    assert_eq!(attempt["status"], 200, "{attempt}");
}

fn pricing(category: &str) -> Value {
    json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": category})
}

async fn costs(company: &Company, query: &str) -> Value {
    company.supervisor.api.get(&format!("/integrations/costs{query}")).await.expect(200)
}

async fn save_prices(company: &Company, prices: Value) -> tests::Answer {
    let body = json!({"currency": "BRL", "prices": [], "message_prices": prices});
    company.admin.api.call(Method::PUT, "/integrations/prices", Some(body)).await
}

pub async fn a_message_is_paid_for_once_however_often_its_status_comes(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let price =
        json!({"category": "marketing", "country": "BR", "price": "0.0625", "currency": "USD", "valid_from": "2026-01-01"});
    save_prices(&company, json!([price])).await.expect(200);
    let wamid = sent(&company).await;
    // Not before it has arrived, not without a price, not when it is free.
    tell(&company, &wamid, "sent", json!({"pricing": pricing("marketing")})).await;
    tell(&company, &wamid, "delivered", json!({"pricing": null})).await;
    let mut free = pricing("marketing");
    free["billable"] = json!(false);
    tell(&company, &wamid, "delivered", json!({"pricing": free})).await;
    tell(&company, &wamid, "failed", json!({"pricing": pricing("marketing")})).await;
    for strange in [json!("x"), json!([]), json!({"billable": "true"})] {
        tell(&company, &wamid, "delivered", json!({"pricing": strange})).await;
    }
    assert_eq!(costs(&company, "").await, json!({"last_24_hours": [], "data": []}));
    // In the wrong order, twice, and with another category the second time.
    for (status, category) in [("read", "marketing"), ("delivered", "marketing"), ("delivered", "utility"), ("sent", "marketing")]
    {
        tell(&company, &wamid, status, json!({"pricing": pricing(category)})).await;
    }
    let once = costs(&company, "").await;
    let sum = json!([{"currency": "USD", "messages": 1, "amount": "0.062500"}]);
    assert_eq!(once["last_24_hours"], sum);
    assert_eq!(once["data"].as_array().map(Vec::len), Some(1));
    let row = &once["data"][0];
    assert_eq!((text(&row["category"]), text(&row["country"]), text(&row["amount"])), ("marketing", "BR", "0.062500"));
    assert_eq!(row["channel_account_id"], company.channel_account_id.to_string());
    // Before anybody knows whose it is: its cost is the number's.
    let unknown = json!({"pricing": pricing("utility"), "id": "wamid.nobodys", "biz_opaque_callback_data": null,
        "recipient_id": null, "recipient_user_id": "PT.1000000000000001"});
    tell(&company, &wamid, "delivered", unknown.clone()).await;
    tell(&company, &wamid, "read", unknown).await;
    let both = costs(&company, "?category=utility").await;
    assert_eq!(both["last_24_hours"], json!([{"currency": null, "messages": 1, "amount": null}]));
    assert_eq!(text(&both["data"][0]["country"]), "PT");
    let elsewhere = super::company(&stack).await;
    assert_eq!(costs(&elsewhere, "").await["data"], json!([]));
}

pub async fn prices_go_by_category_country_and_day(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let price = |category: &str, country: Value, price: &str, from: &str| json!({"category": category, "country": country, "price": price, "currency": "BRL", "valid_from": from});
    let prices = json!([
        price("marketing", Value::Null, "0.5", "2026-01-01"),
        price("marketing", json!("BR"), "0.3", "2026-01-01"),
        price("marketing", json!("BR"), "0.35", "2026-03-01"),
        price("marketing", json!("AR"), "0.9", "2999-01-01"),
    ]);
    let saved = save_prices(&company, prices.clone()).await.expect(200);
    assert_eq!(saved["message_prices"], prices);
    let usual = json!({"currency": "BRL", "prices": []});
    let kept = company.admin.api.call(Method::PUT, "/integrations/prices", Some(usual)).await.expect(200);
    assert_eq!(kept, saved, "who does not name them leaves them as they are");
    let twice = json!([price("a", json!("BR"), "1", "2026-01-01"), price("a", json!("BR"), "2", "2026-01-01")]);
    let small = json!([{"category": "a", "country": "br", "price": "1", "currency": "BRL", "valid_from": "2026-01-01"}]);
    for (wrong, field) in [
        (twice, ("message_prices[1].valid_from", "repeated")),
        (small, ("message_prices[0].country", "pattern")),
        (json!([price("a", Value::Null, "-1", "2026-01-01")]), ("message_prices[0].price", "pattern")),
    ] {
        assert_eq!(fields(&save_prices(&company, wrong).await.expect(422)), [field]);
    }
    let add = "
        insert into external_api_usage (company_id, channel_account_id, provider_id, category, country, at)
        values ($1, $2, gen_random_uuid()::text, $3, $4, $5::text::timestamptz)
        returning amount::text";
    let database = stack.database().await;
    for (category, country, at, amount) in [
        ("marketing", Some("BR"), "2026-02-10T12:00:00Z", Some("0.300000")),
        // Where the company is, it is still February.
        ("marketing", Some("BR"), "2026-03-01T02:59:59Z", Some("0.300000")),
        ("marketing", Some("BR"), "2026-03-01T03:00:00Z", Some("0.350000")),
        ("marketing", Some("AR"), "2026-03-01T03:00:00Z", Some("0.500000")),
        ("marketing", None, "2026-03-01T03:00:00Z", Some("0.500000")),
        ("marketing", Some("BR"), "2025-12-31T12:00:00Z", None),
        ("service", Some("BR"), "2026-03-01T03:00:00Z", None),
    ] {
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&company.id, &company.channel_account_id, &category, &country, &at];
        let row = database.query_one(add, &values).await.expect("a row");
        assert_eq!(row.get::<_, Option<&str>>(0), amount, "{category} {country:?} {at}");
    }
}

pub async fn sums_are_those_of_the_rows(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let other = super::connect_number(&company, "Outro").await;
    let other: uuid::Uuid = text(&other["id"]).parse().expect("an id");
    let prices: Vec<Value> = [("marketing", "0.012345", "USD"), ("utility", "0.333333", "BRL")]
        .map(|(category, price, currency)| {
            json!({"category": category, "country": null, "price": price, "currency": currency, "valid_from": "2020-01-01"})
        })
        .to_vec();
    save_prices(&company, json!(prices)).await.expect(200);
    let add = "
        insert into external_api_usage (company_id, channel_account_id, provider_id, category, country, at)
        select $1, case when n % 3 = 0 then $3::uuid else $2::uuid end, 'wamid.' || n,
               (array['marketing', 'utility', 'service'])[1 + n % 3 % 2 + n % 5 / 4], (array['BR', 'PT'])[1 + n % 2],
               now() - n * interval '97 minutes'
          from generate_series(1, 200) n";
    let database = stack.database().await;
    database.execute(add, &[&company.id, &company.channel_account_id, &other]).await.expect("rows");
    let sum = "
        select coalesce(sum(amount), 0)::text, count(*) from external_api_usage
         where company_id = $1 and currency is not distinct from $2 and at > now() - $3::text::interval
           and ($4::uuid is null or channel_account_id = $4)";
    for (query, channel) in [(String::new(), None), (format!("?channel_account_id={other}"), Some(other))] {
        let costs = costs(&company, &query).await;
        for currency in [Some("USD"), Some("BRL"), None] {
            let of = |row: &&Value| row["currency"].as_str() == currency;
            let count = |rows: &Value| -> i64 {
                rows.as_array().into_iter().flatten().filter(of).map(|row| row["messages"].as_i64().unwrap_or_default()).sum()
            };
            let amount = |rows: &Value| -> i64 {
                let amounts = rows.as_array().into_iter().flatten().filter(of).filter_map(|row| row["amount"].as_str());
                amounts.map(|amount| amount.replace('.', "").parse::<i64>().expect("six places")).sum()
            };
            for (shown, span) in [(&costs["last_24_hours"], "24 hours"), (&costs["data"], "29 days")] {
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&company.id, &currency, &span, &channel];
                let row = database.query_one(sum, &values).await.expect("a sum");
                let millionths = row.get::<_, &str>(0).replace('.', "").parse::<i64>().expect("a number");
                assert_eq!((amount(shown), count(shown)), (millionths, row.get(1)), "{query} {currency:?} {span}");
            }
        }
    }
    let month = company.supervisor.api.get("/integrations/costs?from=2020-01-01").await.expect(422);
    assert_eq!(fields(&month), [("from", "period")]);
}
