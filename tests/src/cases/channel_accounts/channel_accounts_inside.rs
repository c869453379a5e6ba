//! Every setting that takes an address, with addresses that lead inside.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, sandbox::fresh_number};

use super::{company, fields, path};
use crate::cases::evolution;

/// Hosts, and what each setting says of them. Those of the local machine at 127.0.0.1 itself are open here: the sandbox is there.
const HOSTS: [(&str, &str); 24] = [
    ("10.0.0.1", "not_public"),
    ("172.16.5.4", "not_public"),
    ("192.168.1.1", "not_public"),
    ("127.0.0.2", "not_public"),
    ("0.0.0.0", "not_public"),
    ("169.254.169.254", "not_public"),
    ("169.254.170.2", "not_public"),
    ("100.100.100.200", "not_public"),
    ("192.0.0.192", "not_public"),
    ("224.0.0.1", "not_public"),
    ("255.255.255.255", "not_public"),
    // The same in other writings.
    ("0xa9fea9fe", "not_public"),
    ("2852039166", "not_public"),
    ("0251.0376.0251.0376", "not_public"),
    ("10.1", "not_public"),
    ("169.254.169.254.", "not_public"),
    ("[::1]", "not_public"),
    ("[::]", "not_public"),
    ("[fe80::1]", "not_public"),
    ("[fd00:ec2::254]", "not_public"),
    ("[::ffff:169.254.169.254]", "not_public"),
    ("[::ffff:a00:1]", "not_public"),
    ("[64:ff9b::a9fe:a9fe]", "not_public"),
    ("nobody.invalid", "unknown_host"),
];

/// One setting: how it is given an address, and the field that is named.
struct Setting {
    method: Method,
    path: String,
    body: fn(&str) -> Value,
    field: &'static str,
    /// Whether it takes a host alone.
    is_host: bool,
}

pub async fn no_setting_leads_inside(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let post = |path: &str, body: fn(&str) -> Value, field| Setting {
        method: Method::POST,
        path: path.to_owned(),
        body,
        field,
        is_host: false,
    };
    let settings = [
        post(
            "/whatsapp/instances",
            |url| json!({"name": "x", "server": {"base_url": url, "api_key": "12345678"}}),
            "server.base_url",
        ),
        post(
            "/integrations/config",
            |url| json!({"kind": "evolution", "name": "x", "base_url": url, "instance": "x", "api_key": "12345678"}),
            "base_url",
        ),
        Setting {
            method: Method::PUT,
            path: path(text(&instance["id"])),
            body: |url| json!({"base_url": url, "api_key": "12345678"}),
            field: "base_url",
            is_host: false,
        },
        post("/setup/config", |url| json!({"ai": {"base_url": url, "api_key": "gsk-abcdefgh"}}), "ai.base_url"),
        post("/setup/config", |url| json!({"front_end_origin": url}), "front_end_origin"),
        Setting {
            is_host: true,
            ..post(
                "/setup/config",
                |host| json!({"mail": {"host": host, "port": 587, "security": "starttls", "from_address": "a@exemplo.com.br"}}),
                "mail.host",
            )
        },
    ];
    for Setting { method, path, body, field, is_host } in settings {
        for (host, code) in HOSTS {
            // A mail server is no address of the web: brackets and figures in other bases are not for it.
            let is_written_otherwise =
                host.starts_with("0x") || host.starts_with("2852") || host.starts_with("0251") || host == "10.1";
            if is_host && (is_written_otherwise || host.ends_with('.')) {
                continue;
            }
            let given = if is_host { host.trim_matches(['[', ']']).to_owned() } else { format!("https://{host}") };
            let refused = company.admin.api.call(method.clone(), &path, Some(body(&given))).await;
            assert_eq!(refused.status, 422, "{path} {field} {given}: {}", refused.body);
            assert_eq!(fields(&refused.body), [(field, code)], "{path} {given}");
        }
    }
    // Nothing was kept of it, and a name that has come to lead inside is not called by it.
    let setup = company.admin.api.get("/setup/config").await.expect(200);
    assert_eq!((&setup["ai"], &setup["mail"]), (&Value::Null, &Value::Null));
    let inside =
        "update channel_accounts set settings = settings || jsonb_build_object('base_url', $2::text) where id = $1::text::uuid";
    for address in ["https://10.0.0.7", "https://169.254.169.254", "https://[::ffff:10.0.0.1]", "https://localhost"] {
        stack.database().await.execute(inside, &[&text(&instance["id"]), &address]).await.expect("it moves");
        let test = company.admin.api.post(&format!("{}/test", super::path(text(&instance["id"]))), json!({})).await.expect(200);
        assert_eq!((&test["works"], text(&test["problem"])), (&json!(false), "unreachable"), "{address}: {test}");
    }
}
