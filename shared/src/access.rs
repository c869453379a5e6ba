//! Who may call a route. A proof is a handler's first argument after the context and can only be made from a verified request,
//! so a route cannot forget to ask.

use std::{borrow::Cow, ops::Deref, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use uuid::Uuid;

use crate::{
    context::Context,
    crypto,
    error::{Error, FORBIDDEN, Problem, SIGNATURE_INVALID, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING, WRONG_COMPANY},
    http::Request,
    limits,
    token::{self, TokenError},
};

/// What a member may do in a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Supervisor,
    Agent,
    Student,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Agent => "agent",
            Self::Student => "student",
        }
    }

    #[must_use]
    pub fn is_staff(self) -> bool {
        self != Self::Student
    }
}

/// Their own names, and what front ends call them.
const ROLE_NAMES: [(&str, Role); 8] = [
    ("admin", Role::Admin),
    ("supervisor", Role::Supervisor),
    ("agent", Role::Agent),
    ("student", Role::Student),
    ("attendant", Role::Agent),
    ("operator", Role::Agent),
    ("equipe", Role::Agent),
    ("aluno", Role::Student),
];

/// As rows, bodies and query strings have it: by any of its names, in any case.
impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = ROLE_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, role)| *role).ok_or("a role is admin, supervisor, agent or student")
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::unknown_variant(&text, &["admin", "supervisor", "agent", "student"]))
    }
}

/// The signed-in caller, in their active company.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    pub user_id: Uuid,
    pub company_id: Uuid,
    pub role: Role,
    pub session_id: Uuid,
}

/// Makes a proof from a request or refuses it.
pub trait Proof: Sized + Send + Sync + 'static {
    /// Name in descriptions: `admin`, `staff`, `anyone` …
    const NAME: &'static str;
    /// What it refuses with.
    const FAILS: &'static [Problem];
    /// Whether the caller is a third party, which says nothing of ours in its bodies.
    const IS_THIRD_PARTY: bool = false;

    /// # Errors
    /// 401 without a valid token or signature, 403 with a role that is not enough.
    fn prove(request: &Request, context: &Context) -> Result<Self, Error>;
}

macro_rules! role_proofs {
    ($($(#[$doc:meta])* $name:ident, $text:literal, $allows:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name(Identity);

            impl Deref for $name {
                type Target = Identity;

                fn deref(&self) -> &Identity {
                    &self.0
                }
            }

            impl Proof for $name {
                const NAME: &'static str = $text;
                const FAILS: &'static [Problem] = &[TOKEN_MISSING, FORBIDDEN, WRONG_COMPANY];

                fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
                    let identity = verify_bearer(request, context)?;
                    let allows: fn(Role) -> bool = $allows;
                    if allows(identity.role) { Ok(Self(identity)) } else { Err(FORBIDDEN.into()) }
                }
            }
        )*
    };
}

role_proofs! {
    /// An owner of the company account.
    Admin, "admin", |role| role == Role::Admin;
    /// A team leader or an admin.
    Supervisor, "supervisor", |role| matches!(role, Role::Admin | Role::Supervisor);
    /// Anyone who serves customers: agents, supervisors and admins.
    Staff, "staff", Role::is_staff;
    /// A customer with a login.
    Student, "student", |role| role == Role::Student;
    /// Anyone signed in.
    Member, "member", |_| true;
}

/// No proof is asked for: public routes.
pub struct Anyone;

impl Proof for Anyone {
    const NAME: &'static str = "anyone";
    const FAILS: &'static [Problem] = &[];

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        context.limit_caller(&format!("address:{}", request.ip), limits::of_address());
        Ok(Self)
    }
}

/// Meta signed the request's raw bytes with one of our app secrets (`X-Hub-Signature-256`).
pub struct SignedByMeta;

impl Proof for SignedByMeta {
    const NAME: &'static str = "signed_by_meta";
    const FAILS: &'static [Problem] = &[SIGNATURE_INVALID];
    const IS_THIRD_PARTY: bool = true;

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        let signature = request
            .header("x-hub-signature-256")
            .and_then(|header| header.strip_prefix("sha256="))
            .and_then(|digits| hex::decode(digits).ok())
            .ok_or(SIGNATURE_INVALID)?;
        let secrets = &context.secrets().whatsapp_app_secrets;
        let is_genuine = secrets.iter().any(|secret| crypto::verify_hmac_sha256(secret.as_bytes(), request.body(), &signature));
        if is_genuine {
            return Ok(Self);
        }
        crate::log::metric("webhook_signature_refused", "Count", 1.0, &context.origin().function);
        Err(SIGNATURE_INVALID.into())
    }
}

fn verify_bearer(request: &Request, context: &Context) -> Result<Identity, Error> {
    let token = bearer(request.header("authorization").ok_or(TOKEN_MISSING)?).ok_or(TOKEN_INVALID)?;
    let claims = token::verify(&context.secrets().token_keys, token, context.now()).map_err(|error| match error {
        TokenError::Expired => Error::from(TOKEN_EXPIRED),
        TokenError::Invalid => Error::from(TOKEN_INVALID),
    })?;
    let identity = Identity { user_id: claims.sub, company_id: claims.cid, role: claims.role, session_id: claims.sid };
    context.signed_in(&identity);
    context.limit_caller(&format!("user:{}", identity.user_id), limits::of_user());
    Ok(identity)
}

/// The token in an `Authorization` header, whose scheme may be written in any case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::{Role, bearer};

    #[test]
    fn roles_have_other_names_on_input_only() {
        let known = [
            ("agent", ["agent", "AGENT", "Attendant", "operator", "Equipe"].as_slice()),
            ("student", &["student", "Aluno", "ALUNO"]),
            ("supervisor", &["supervisor", "Supervisor"]),
            ("admin", &["admin", "ADMIN"]),
        ];
        for (role, names) in known {
            for name in names {
                assert_eq!(name.parse::<Role>().unwrap().as_str(), role);
                let read: Role = serde_json::from_value(serde_json::json!(name)).unwrap();
                assert_eq!(serde_json::to_value(read).unwrap(), role, "{name}");
            }
        }
        for name in ["", "agents", "owner", "agent ", "adm\u{131}n"] {
            assert!(name.parse::<Role>().is_err() && serde_json::from_value::<Role>(serde_json::json!(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case() {
        for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "] {
            assert_eq!(bearer(header), Some("a.b.c"), "{header}");
        }
        for header in ["", "a.b.c", "Bearer", "Basic a.b.c", "Bearera.b.c"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
