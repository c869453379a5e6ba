//! Who may call a route. A proof is a handler's first argument after the context and can only be made from a verified request,
//! so a route cannot forget to ask.

use std::ops::Deref;

use uuid::Uuid;

use super::Request;
use crate::{
    context::Context,
    crypto,
    error::{
        Error, FORBIDDEN, Problem, SIGNATURE_INVALID, STEP_UP_REQUIRED, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING,
        TWO_FACTOR_REQUIRED, WRONG_COMPANY,
    },
    identity::{Identity, Role, Standing},
    limits,
    links::{Link, Purpose},
    log, rate,
    token::{self, TokenError},
};

/// Makes a proof from a request or refuses it.
pub trait Proof: Sized + Send + Sync + 'static {
    /// Who is let in, as descriptions say it: `admin`, `staff`, `anyone` …; one name for each kind of caller.
    fn names() -> Vec<&'static str>;

    /// What it refuses with.
    fn fails() -> Vec<Problem>;

    /// Whether the caller is a third party, which says nothing of ours in its bodies.
    const IS_THIRD_PARTY: bool = false;

    /// # Errors
    /// 401 without a valid token or signature, 403 with a role that is not enough.
    fn prove(request: &Request, context: &Context) -> Result<Self, Error>;
}

/// A proof that a caller may lack. `Anyone` is none: beside it, whoever fails the other would be let in all the same.
pub trait Credential: Proof {}

/// Either of two kinds of callers. A request is the first's when it proves that, and otherwise has to prove the second; what several
/// kinds may call nests: `Either<Staff, Either<Student, …>>`.
#[derive(Clone, Debug)]
pub enum Either<A, B> {
    First(A),
    Second(B),
}

impl<A: Credential, B: Credential> Proof for Either<A, B> {
    const IS_THIRD_PARTY: bool = A::IS_THIRD_PARTY && B::IS_THIRD_PARTY;

    fn names() -> Vec<&'static str> {
        [A::names(), B::names()].concat()
    }

    fn fails() -> Vec<Problem> {
        [A::fails(), B::fails()].concat()
    }

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        let first = match A::prove(request, context) {
            Ok(proof) => return Ok(Self::First(proof)),
            Err(refusal) => refusal,
        };
        B::prove(request, context).map(Self::Second).map_err(|second| more_telling(first, second))
    }
}

impl<A: Credential, B: Credential> Credential for Either<A, B> {}

/// Whoever of two they are.
impl<A: Deref<Target = Identity>, B: Deref<Target = Identity>> Deref for Either<A, B> {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        match self {
            Self::First(proof) => proof,
            Self::Second(proof) => proof,
        }
    }
}

/// What is wrong with something that was brought says more than that something else was not, or is of another kind.
fn more_telling(first: Error, second: Error) -> Error {
    if [TOKEN_MISSING, TOKEN_INVALID].contains(&first.problem()) { second } else { first }
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
                fn names() -> Vec<&'static str> {
                    vec![$text]
                }

                fn fails() -> Vec<Problem> {
                    vec![TOKEN_MISSING, FORBIDDEN, TWO_FACTOR_REQUIRED, WRONG_COMPANY]
                }

                fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
                    let identity = verify_bearer(request, context)?;
                    let allows: fn(Role) -> bool = $allows;
                    if allows(identity.role) { Ok(Self(identity)) } else { Err(FORBIDDEN.into()) }
                }
            }

            impl Credential for $name {}
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

macro_rules! standing_proofs {
    ($($(#[$doc:meta])* $name:ident, $standing:expr, $fails:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name<P>(P);

            impl<P: Deref<Target = Identity>> Deref for $name<P> {
                type Target = Identity;

                fn deref(&self) -> &Identity {
                    &self.0
                }
            }

            impl<P: Credential> Proof for $name<P> {
                fn names() -> Vec<&'static str> {
                    P::names()
                }

                fn fails() -> Vec<Problem> {
                    let fails: fn(Vec<Problem>) -> Vec<Problem> = $fails;
                    fails(P::fails())
                }

                fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
                    let proof = P::prove(request, context)?;
                    context.ask_for_standing($standing);
                    Ok(Self(proof))
                }
            }

            impl<P: Credential> Credential for $name<P> {}
        )*
    };
}

// What is asked beyond the role is judged where the transaction enters the company.
standing_proofs! {
    /// Who, having a second factor, has given it in this session within ten minutes: for secrets, roles, exports, erasures. Who has none
    /// is let through; a company's policy decides who must have one.
    SteppedUp, Standing::SteppedUp, |fails| [fails, vec![STEP_UP_REQUIRED]].concat();
    /// Who may still lack the second factor that their company asks for: for what leads to it, and away.
    SettingUp, Standing::SettingUp, |fails| fails.into_iter().filter(|problem| *problem != TWO_FACTOR_REQUIRED).collect();
}

/// No proof is asked for: public routes.
pub struct Anyone;

impl Proof for Anyone {
    fn names() -> Vec<&'static str> {
        vec!["anyone"]
    }

    fn fails() -> Vec<Problem> {
        Vec::new()
    }

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        limits::limit_caller(context, &format!("address:{}", rate::range_of(&request.ip)), limits::of_address());
        Ok(Self)
    }
}

/// Meta signed the request's raw bytes with one of our app secrets (`X-Hub-Signature-256`).
pub struct SignedByMeta;

impl Proof for SignedByMeta {
    const IS_THIRD_PARTY: bool = true;

    fn names() -> Vec<&'static str> {
        vec!["signed_by_meta"]
    }

    fn fails() -> Vec<Problem> {
        vec![SIGNATURE_INVALID]
    }

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
        log::metric("webhook_signature_refused", "Count", 1.0, &context.origin().function);
        Err(SIGNATURE_INVALID.into())
    }
}

impl Credential for SignedByMeta {}

/// A provider that signs no bytes brings the secret that it was given with the address of its webhooks (`crypto::webhook_secret`), whose
/// token ends the address too. Whose it is, its fingerprint says.
pub struct SignedBySecret {
    /// As `channel_accounts.external_key` has it.
    pub hash: String,
}

impl Proof for SignedBySecret {
    const IS_THIRD_PARTY: bool = true;

    fn names() -> Vec<&'static str> {
        vec!["signed_by_secret"]
    }

    fn fails() -> Vec<Problem> {
        vec![SIGNATURE_INVALID]
    }

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        let hash = fingerprint_of(request, context, request.header("authorization").and_then(bearer))?;
        Ok(Self { hash })
    }
}

impl Credential for SignedBySecret {}

/// As `SignedBySecret`, of one that has no `Authorization` to give: the secret is in `X-Webhook-Secret`.
pub struct SignedByHeader {
    /// As `channel_accounts.external_key` has it.
    pub hash: String,
}

impl Proof for SignedByHeader {
    const IS_THIRD_PARTY: bool = true;

    fn names() -> Vec<&'static str> {
        vec!["signed_by_header"]
    }

    fn fails() -> Vec<Problem> {
        vec![SIGNATURE_INVALID]
    }

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        let hash = fingerprint_of(request, context, request.header("x-webhook-secret").map(str::trim))?;
        Ok(Self { hash })
    }
}

impl Credential for SignedByHeader {}

/// A provider that can be given nothing but an address: its end, the `token`, proves that it is one of ours (`Purpose::CrmWebhook`). Good for hints
/// only: whoever has seen the address may call it.
pub struct SignedByAddress {
    /// Of the row that the address was made for.
    pub id: Uuid,
}

impl Proof for SignedByAddress {
    const IS_THIRD_PARTY: bool = true;

    fn names() -> Vec<&'static str> {
        vec!["signed_by_address"]
    }

    fn fails() -> Vec<Problem> {
        vec![SIGNATURE_INVALID]
    }

    fn prove(request: &Request, context: &Context) -> Result<Self, Error> {
        let token = request.path_parameter("token").unwrap_or_default();
        let Some(link) = Link::read(Purpose::CrmWebhook, token, &context.secrets().token_keys) else {
            log::metric("webhook_signature_refused", "Count", 1.0, &context.origin().function);
            return Err(SIGNATURE_INVALID.into());
        };
        Ok(Self { id: link.id })
    }
}

impl Credential for SignedByAddress {}

/// The fingerprint of a secret whose token ends the address too, where the address has one.
fn fingerprint_of(request: &Request, context: &Context, secret: Option<&str>) -> Result<String, Error> {
    let secret = secret.and_then(|secret| Some((secret, secret.split_once('.')?.0)));
    match (secret, request.path_parameter("token")) {
        (Some((secret, token)), in_path) if in_path.is_none_or(|in_path| in_path == token) => Ok(crypto::fingerprint(secret)),
        _ => {
            log::metric("webhook_signature_refused", "Count", 1.0, &context.origin().function);
            Err(SIGNATURE_INVALID.into())
        }
    }
}

/// Who the token names. Verified and counted once for a request, however many proofs ask.
fn verify_bearer(request: &Request, context: &Context) -> Result<Identity, Error> {
    if let Some(identity) = context.identity() {
        return Ok(identity);
    }
    let token = bearer(request.header("authorization").ok_or(TOKEN_MISSING)?).ok_or(TOKEN_INVALID)?;
    let claims = token::verify(&context.secrets().token_keys, token, context.now()).map_err(|error| match error {
        TokenError::Expired => Error::from(TOKEN_EXPIRED),
        TokenError::Invalid => Error::from(TOKEN_INVALID),
    })?;
    let identity = Identity { user_id: claims.sub, company_id: claims.cid, role: claims.role, session_id: claims.sid };
    context.signed_in(&identity);
    limits::limit_caller(context, &format!("user:{}", identity.user_id), limits::of_user());
    Ok(identity)
}

/// The token in an `Authorization` header, whose scheme may be written in any case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::{bearer, more_telling};
    use crate::error::{Error, FORBIDDEN, SIGNATURE_INVALID, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING};

    #[test]
    fn of_two_refusals_the_one_of_what_was_brought_is_told() {
        let told = |first, second| more_telling(Error::from(first), Error::from(second)).problem().code;
        assert_eq!(told(TOKEN_EXPIRED, TOKEN_INVALID), "token_expired");
        assert_eq!(told(FORBIDDEN, TOKEN_MISSING), "forbidden");
        assert_eq!(told(TOKEN_MISSING, SIGNATURE_INVALID), "signature_invalid");
        assert_eq!(told(TOKEN_INVALID, TOKEN_EXPIRED), "token_expired");
        assert_eq!(told(TOKEN_MISSING, TOKEN_MISSING), "token_missing");
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
