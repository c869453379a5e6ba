//! The second factor: an authenticator app, and recovery codes for who has lost it.

use shared::{crypto, prelude::*, settings::EncryptionKey};

use crate::{notices::Addressee, recovery_codes, totp};

pub const CODE_WRONG: Problem = Problem::new(
    403,
    "code_wrong",
    "O código não confere. Confira o aplicativo e o relógio do aparelho.",
    "The code is not right. Check the app and the clock of the device.",
);
pub const TOO_MANY_CODES: Problem = Problem::new(
    429,
    "too_many_codes",
    "Muitos códigos errados. Aguarde antes de tentar de novo.",
    "Too many wrong codes. Wait before trying again.",
);
pub const NOT_SET_UP: Problem = Problem::new(
    409,
    "two_factor_not_set_up",
    "Configure primeiro o aplicativo de verificação.",
    "Set up an authenticator app first.",
);
pub const NOT_ENABLED: Problem = Problem::new(
    409,
    "two_factor_not_enabled",
    "A verificação em duas etapas não está ativa.",
    "Two-factor authentication is not enabled.",
);
pub const ALREADY_ENABLED: Problem = Problem::new(
    409,
    "two_factor_already_enabled",
    "A verificação em duas etapas já está ativa.",
    "Two-factor authentication is enabled already.",
);

const OWN_FACTOR: &str = "
    select secret, is_enabled, is_required, users.email, users.name, users.locale
      from app.own_second_factor()
      join users on users.id = app.user_id()";

const TAKE_OWN_CODE: &str = "select outcome, seconds from app.take_own_code($1, $2)";

/// The caller's second factor, from its set-up on.
#[derive(FromRow)]
pub struct SecondFactor {
    secret: Vec<u8>,
    pub is_enabled: bool,
    /// One of the companies that the person is active in asks for it.
    pub is_required: bool,
    /// Whose it is, to be told of what becomes of it.
    #[from_row(flatten)]
    pub owner: Addressee,
}

/// What became of a code.
#[derive(FromRow)]
pub struct Judgement {
    pub outcome: String,
    pub seconds: i32,
}

impl Judgement {
    /// # Errors
    /// 429 in a pause, otherwise `wrong`, unless it was taken.
    pub fn check(&self, wrong: Problem) -> Result<(), Error> {
        match self.outcome.as_str() {
            "taken" => Ok(()),
            "paused" => Err(TOO_MANY_CODES.retry_after(self.seconds.unsigned_abs())),
            _ => Err(wrong.into()),
        }
    }
}

/// A code as somebody types it.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeInput {
    /// Six digits of the app, or a recovery code.
    #[garde(length(chars, min = 6, max = 40))]
    pub code: String,
}

/// A code, for the database to decide on: of which time step it is, and which recovery code it may be.
pub struct Given {
    pub step: Option<i64>,
    pub recovery_hash: Option<Vec<u8>>,
}

impl Given {
    /// A code of this person's, whose app has `sealed`.
    ///
    /// # Errors
    /// 500 when the secret does not open: its key is gone.
    pub fn read(context: &Context, user_id: Uuid, sealed: &[u8], code: &str) -> Result<Self, Error> {
        let digits: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        if !totp::is_code(&digits) {
            return Ok(Self { step: None, recovery_hash: Some(recovery_codes::hash(user_id, code)) });
        }
        let secret = crypto::open(&context.secrets().encryption_keys, &owner(user_id), sealed)
            .ok_or_else(|| shared::error::INTERNAL.caused_by("the secret of a second factor does not open"))?;
        Ok(Self { step: totp::step_of(&secret, &digits, context.now().as_second()), recovery_hash: None })
    }
}

/// A secret as it is stored.
#[must_use]
pub fn seal(keys: &[EncryptionKey], user_id: Uuid, secret: &[u8]) -> Vec<u8> {
    crypto::seal(keys, &owner(user_id), secret)
}

/// What a secret is bound to: nobody opens another person's.
#[must_use]
pub fn owner(user_id: Uuid) -> Vec<u8> {
    [b"second factor\0", user_id.as_bytes().as_slice()].concat()
}

/// The caller's second factor.
///
/// # Errors
/// As `Transaction::query`.
pub async fn own(transaction: &Transaction) -> Result<Option<SecondFactor>, Error> {
    transaction.first(OWN_FACTOR, &[]).await
}

/// Takes a code of the caller's and gives the transaction back. A wrong one is counted, which is committed with nothing else.
///
/// # Errors
/// `code_wrong`; 429 in the pause after five wrong ones.
pub async fn take_own_code(
    context: &Context,
    transaction: Transaction,
    user_id: Uuid,
    factor: &SecondFactor,
    code: &str,
) -> Result<Transaction, Error> {
    let Given { step, recovery_hash } = Given::read(context, user_id, &factor.secret, code)?;
    let judgement: Judgement = transaction.one(TAKE_OWN_CODE, &[&step, &recovery_hash]).await?;
    let Err(refusal) = judgement.check(CODE_WRONG) else { return Ok(transaction) };
    transaction.audit(user_id, &Value::Null, &json!({"code": judgement.outcome}));
    transaction.commit_quietly().await?;
    Err(refusal)
}

/// Recovery codes, shown this once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

const SET_RECOVERY_CODES: &str = "select app.set_recovery_codes($1)";

/// New recovery codes for the caller, whose earlier ones open nothing any more once it is committed.
#[must_use]
pub fn new_recovery_codes(transaction: &Transaction, user_id: Uuid) -> RecoveryCodes {
    let recovery_codes = recovery_codes::generate();
    let hashes: Vec<Vec<u8>> = recovery_codes.iter().map(|code| recovery_codes::hash(user_id, code)).collect();
    transaction.defer(SET_RECOVERY_CODES, shared::parameters![hashes]);
    RecoveryCodes { recovery_codes }
}
