//! The schedule `reseal_secrets`: what an earlier key has sealed, under the first one.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use tests::{Stack, authenticator::Secured, company::text, forge, sandbox::fresh_number};
use uuid::Uuid;

use super::company;
use crate::cases::evolution;

/// A key as the settings have it.
struct Key {
    id: String,
    key: LessSafeKey,
}

impl Key {
    fn read(key: &Value) -> Self {
        let bytes = STANDARD.decode(text(&key["key"])).expect("base64");
        Self { id: text(&key["id"]).to_owned(), key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("32 bytes")) }
    }

    fn has_sealed(&self, sealed: &[u8]) -> bool {
        sealed[1..].starts_with(self.id.as_bytes()) && usize::from(sealed[0]) == self.id.len()
    }

    fn open(&self, owner: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed[1 + self.id.len()..].split_at(12);
        let mut buffer = rest.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("12 bytes");
        self.key.open_in_place(nonce, Aad::from(owner), &mut buffer).ok().map(|plain| plain.to_vec())
    }

    fn seal(&self, owner: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = *Uuid::new_v4().as_bytes();
        let mut buffer = plain.to_vec();
        let nonce_of_it = Nonce::try_assume_unique_for_key(&nonce[..12]).expect("12 bytes");
        self.key.seal_in_place_append_tag(nonce_of_it, Aad::from(owner), &mut buffer).expect("short enough");
        let length = u8::try_from(self.id.len()).expect("a short id");
        [&[length], self.id.as_bytes(), &nonce[..12], &buffer].concat()
    }
}

/// A secret's place: the table, its column, what finds its row, and what it is bound to.
struct Place {
    sql: &'static str,
    id: Uuid,
    owner: Vec<u8>,
}

impl Place {
    async fn read(&self, stack: &Stack) -> Vec<u8> {
        let (table, column, by) = self.parts();
        let sql = format!("select {column} from {table} where {by}");
        stack.database().await.query_one(&sql, &[&self.id]).await.expect("a secret").get(0)
    }

    async fn write(&self, stack: &Stack, sealed: &[u8]) {
        let (table, column, by) = self.parts();
        let sql = format!("update {table} set {column} = $2 where {by}");
        assert_eq!(stack.database().await.execute(&sql, &[&self.id, &sealed]).await.expect("it is written"), 1);
    }

    fn parts(&self) -> (&str, &str, &str) {
        let mut parts = self.sql.splitn(3, ' ');
        let mut next = || parts.next().expect("three parts");
        (next(), next(), next())
    }
}

pub async fn secrets_are_sealed_anew_while_they_are_used(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let setup = json!({"ai": {"base_url": "http://127.0.0.1:9/v1", "api_key": "gsk-abcdefgh"},
        "mail": {"host": "127.0.0.1", "port": 587, "security": "starttls", "from_address": "a@exemplo.com.br", "username": "a", "password": "b"}});
    company.admin.api.post("/setup/config", setup).await.expect(200);
    Secured::make(&company.agents[0]).await;
    let settings = forge::settings(&stack).await;
    let [current, earlier] = [0, 1].map(|place| Key::read(&settings["encryption_keys"][place]));
    let channel: Uuid = text(&instance["id"]).parse().expect("an id");
    let (person, id) = (company.agents[0].id, company.id);
    let places = [
        Place { sql: "channel_credentials sealed channel_account_id = $1", id: channel, owner: channel.as_bytes().to_vec() },
        Place {
            sql: "channel_credentials sealed channel_account_id = $1",
            id: company.channel_account_id,
            owner: company.channel_account_id.as_bytes().to_vec(),
        },
        Place {
            sql: "company_secrets sealed company_id = $1 and name = 'evolution'",
            id,
            owner: [id.as_bytes(), b"evolution".as_slice()].concat(),
        },
        Place {
            sql: "company_secrets sealed company_id = $1 and name = 'ai'",
            id,
            owner: [id.as_bytes(), b"ai".as_slice()].concat(),
        },
        Place { sql: "mail_accounts sealed company_id = $1", id, owner: id.as_bytes().to_vec() },
        Place {
            sql: "second_factors secret user_id = $1",
            id: person,
            owner: [b"second factor\0", person.as_bytes().as_slice()].concat(),
        },
    ];
    let mut plain = Vec::new();
    for place in &places {
        let secret = current.open(&place.owner, &place.read(&stack).await).expect("it was sealed with the first key");
        place.write(&stack, &earlier.seal(&place.owner, &secret)).await;
        plain.push(secret);
    }
    // An earlier key opens what it has sealed.
    assert_eq!(text(&evolution::act(&company, &instance, "test").await.expect(200)["state"]), "open");
    let saved =
        json!({"kind": "evolution", "name": "Vendas", "base_url": server.base_url, "instance": instance["instance_name"]});
    // Two at once, and somebody who saves meanwhile.
    let fire = || stack.control("POST", "/fire/ResealSecrets", None);
    let saving = company.admin.api.post("/integrations/config", saved);
    let (_, _, saved) = tokio::join!(fire(), fire(), saving);
    saved.expect(200);
    for (place, plain) in places.iter().zip(&plain) {
        let sealed = place.read(&stack).await;
        assert!(current.has_sealed(&sealed), "{}", place.sql);
        assert_eq!(current.open(&place.owner, &sealed).as_ref(), Some(plain), "{}", place.sql);
    }
    assert_eq!(text(&evolution::act(&company, &instance, "test").await.expect(200)["state"]), "open");
    let (_, conversation) = company.served().await;
    let message = company.agents[0].say(&conversation, "Olá").await;
    company.agents[0].message_with_status(&message, "sent").await;
    // One that nobody can open any more is left as it is, and holds up no other.
    let lost = [&[4_u8], b"gone".as_slice(), &[0; 40]].concat();
    places[3].write(&stack, &lost).await;
    let secret = plain[4].clone();
    places[4].write(&stack, &earlier.seal(&places[4].owner, &secret)).await;
    fire().await;
    assert_eq!(places[3].read(&stack).await, lost);
    assert!(current.has_sealed(&places[4].read(&stack).await));
}
