//! An authenticator app, as a person has it on their phone, written after RFC 6238 and apart from the functions' own.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE32_NOPAD;
use ring::hmac;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::{
    Api, Company, Stack,
    company::{Person, text},
};

/// The app with one account.
#[derive(Clone)]
pub struct Authenticator {
    secret: Vec<u8>,
}

impl Authenticator {
    /// Takes an account in from what its picture says.
    ///
    /// # Panics
    /// When that is not an account's.
    #[must_use]
    pub fn scan(uri: &str) -> Self {
        let uri = Url::parse(uri).expect("an address");
        assert_eq!((uri.scheme(), uri.host_str()), ("otpauth", Some("totp")));
        let secret = uri.query_pairs().find(|(name, _)| name == "secret").expect("a secret").1;
        Self { secret: BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32") }
    }

    /// The code that it shows now.
    #[must_use]
    pub fn code(&self) -> String {
        self.code_in(0)
    }

    /// The code that it shows so many time steps from now.
    ///
    /// # Panics
    /// Before 1970.
    #[must_use]
    pub fn code_in(&self, steps: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let step = i64::try_from(now / 30).expect("a time") + steps;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let digest = hmac::sign(&key, &step.to_be_bytes());
        let digest = digest.as_ref();
        let start = usize::from(digest[19] % 16);
        let number = digest[start..start + 4].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{:06}", number % (1 << 31) % 1_000_000)
    }

    /// A code that it will not show soon.
    #[must_use]
    pub fn wrong_code(&self) -> String {
        let near: Vec<String> = (-3..=3).map(|steps| self.code_in(steps)).collect();
        let wrong = (0..10).map(|number| format!("{number:06}")).find(|code| !near.contains(code));
        wrong.unwrap_or_default()
    }
}

/// Somebody who has a second factor, in a session in which they have given it.
#[derive(Clone)]
pub struct Secured {
    pub person: Person,
    pub app: Authenticator,
    pub recovery_codes: Vec<String>,
}

impl Secured {
    /// Gives a person a second factor.
    ///
    /// # Panics
    /// When they have one.
    pub async fn make(person: &Person) -> Self {
        let set_up = person.api.post("/auth/2fa/setup", Value::Null).await.expect(200);
        let app = Authenticator::scan(text(&set_up["otpauth_uri"]));
        let enabled = person.api.post("/auth/2fa/enable", json!({"code": app.code()})).await.expect(200);
        let codes = enabled["recovery_codes"].as_array().expect("codes").iter();
        let recovery_codes = codes.map(|code| text(code).to_owned()).collect();
        Self { person: person.clone(), app, recovery_codes }
    }

    /// The challenge of a login with this password.
    ///
    /// # Panics
    /// When the login asks for no code.
    pub async fn challenge(&self, stack: &Stack, password: &str) -> String {
        let login = json!({"email": self.person.email, "password": password});
        let challenged = stack.api().post("/auth/login", login).await.expect(200);
        assert!(challenged.get("access_token").is_none() && challenged.get("user").is_none(), "{challenged}");
        text(&challenged["challenge"]).to_owned()
    }

    /// Another login, with a recovery code.
    ///
    /// # Panics
    /// When it is refused, or no code is left.
    pub async fn log_in(&mut self, stack: &Stack, password: &str) -> Api {
        let challenge = self.challenge(stack, password).await;
        let code = self.recovery_codes.pop().expect("a code is left");
        let login = stack.api().post("/auth/login/verify", json!({"challenge": challenge, "code": code})).await.expect(200);
        stack.api().with_token(text(&login["access_token"]))
    }
}

/// A further member of a company, with the password of all of them.
///
/// # Panics
/// When the database refuses.
pub async fn newcomer(stack: &Stack, company: &Company, role: &str) -> Person {
    let (id, email) = (Uuid::now_v7(), format!("novata.{}@example.com", Uuid::new_v4().simple()));
    let join = "
        with person as (
            insert into users (id, email, name, password_hash)
            select $1, $2, 'Novata da Silva', password_hash from users where id = $3
            returning id
        )
        insert into memberships (company_id, user_id, role) select $4, id, $5 from person";
    let database = stack.database().await;
    database.execute(join, &[&id, &email, &company.admin.id, &company.id, &role]).await.expect("somebody joins");
    Person::sign_in(stack, &email, &company.password).await.expect("they sign in")
}
