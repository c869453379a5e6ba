//! The one error of every function, answered as RFC 9457 `application/problem+json`.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

/// Something that can go wrong for a caller, with its stable code and its text in both languages.
/// Domains declare theirs as constants; routes list the ones they answer in `Route::fails`.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    pub status: u16,
    /// Stable, `snake_case`.
    pub code: &'static str,
    pub portuguese: &'static str,
    pub english: &'static str,
    /// Describes what it shows as `current`.
    pub(crate) current: Option<fn(&mut SchemaGenerator) -> Schema>,
}

/// Problems are told apart by their codes.
impl PartialEq for Problem {
    fn eq(&self, other: &Self) -> bool {
        (self.status, self.code) == (other.status, other.code)
    }
}

impl Eq for Problem {}

impl Problem {
    #[must_use]
    pub const fn new(status: u16, code: &'static str, portuguese: &'static str, english: &'static str) -> Self {
        Self { status, code, portuguese, english, current: None }
    }

    /// The same problem, described as showing a `T` as `current` where the caller may see it.
    #[must_use]
    pub const fn showing<T: JsonSchema>(mut self) -> Self {
        self.current = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// The problem with the caller's own row as it is now, for 409.
    #[must_use]
    pub fn with_current(self, current: &impl Serialize) -> Error {
        let mut error = Error::from(self);
        error.0.current = serde_json::to_value(current).ok();
        error
    }

    /// The problem with the reason for the log, which the caller never sees.
    #[must_use]
    pub fn caused_by(self, cause: impl ToString) -> Error {
        let mut error = Error::from(self);
        error.0.cause = Some(cause.to_string());
        error
    }

    /// The problem with what to say about each field.
    #[must_use]
    pub fn in_fields(self, fields: Vec<FieldProblem>) -> Error {
        let mut error = Error::from(self);
        error.0.fields = fields;
        error
    }

    /// The problem, to be tried again after this many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Error {
        let mut error = Error::from(self);
        error.0.retry_after = Some(seconds);
        error
    }
}

macro_rules! problems {
    ($($name:ident = $status:literal, $code:literal, $portuguese:literal, $english:literal;)*) => {
        $(#[doc = $english] pub const $name: Problem = Problem::new($status, $code, $portuguese, $english);)*
    };
}

problems! {
    MALFORMED = 400, "malformed", "O corpo da requisição não é um JSON válido.", "The request body is not valid JSON.";
    TOKEN_MISSING = 401, "token_missing", "Entre na sua conta para continuar.", "Sign in to continue.";
    TOKEN_INVALID = 401, "token_invalid", "A sessão não é válida. Entre novamente.", "The session is not valid. Sign in again.";
    TOKEN_EXPIRED = 401, "token_expired", "O acesso expirou. Renove a sessão.", "The access token has expired. Refresh the session.";
    SESSION_REVOKED = 401, "session_revoked", "A sessão foi encerrada. Entre novamente.", "The session has ended. Sign in again.";
    SIGNATURE_INVALID = 401, "signature_invalid", "A assinatura não confere.", "The signature does not match.";
    FORBIDDEN = 403, "forbidden", "Seu perfil não permite esta ação.", "Your role does not allow this action.";
    TWO_FACTOR_REQUIRED = 403, "two_factor_required", "Sua empresa exige a verificação em duas etapas. Ative-a para continuar.", "Your company requires two-factor authentication. Set it up to continue.";
    STEP_UP_REQUIRED = 403, "step_up_required", "Confirme com um código de verificação para continuar.", "Confirm with a verification code to continue.";
    WRONG_COMPANY = 403, "wrong_company", "Esta sessão é de outra empresa. Entre na empresa desejada.", "This session is for another company. Enter the company you want.";
    NOT_FOUND = 404, "not_found", "Não encontrado.", "Not found.";
    STALE = 409, "stale_version", "Outra pessoa alterou este registro antes de você.", "Somebody else changed this record before you.";
    PAYLOAD_TOO_LARGE = 413, "payload_too_large", "O conteúdo enviado é grande demais.", "The content sent is too large.";
    UNSUPPORTED_MEDIA_TYPE = 415, "unsupported_media_type", "Envie o corpo como application/json.", "Send the body as application/json.";
    INVALID = 422, "invalid", "Alguns campos precisam ser corrigidos.", "Some fields need correction.";
    IDEMPOTENCY_KEY_REUSED = 422, "idempotency_key_reused", "Esta Idempotency-Key já foi usada com outro conteúdo.", "This Idempotency-Key was already used with other content.";
    RATE_LIMITED = 429, "rate_limited", "Muitas requisições. Aguarde um momento.", "Too many requests. Wait a moment.";
    INTERNAL = 500, "internal", "Algo deu errado do nosso lado.", "Something went wrong on our side.";
    UNAVAILABLE = 503, "unavailable", "O serviço está indisponível no momento. Tente de novo em instantes.", "The service is unavailable right now. Try again shortly.";
}

/// What is wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// Path within the input, such as `buttons[0].title`.
    pub field: String,
    pub code: String,
    pub portuguese: String,
    pub english: String,
}

impl FieldProblem {
    #[must_use]
    pub fn new(field: impl Into<String>, code: &str, portuguese: &str, english: &str) -> Self {
        Self { field: field.into(), code: code.into(), portuguese: portuguese.into(), english: english.into() }
    }

    /// Of a field that names a colleague.
    #[must_use]
    pub fn not_active_staff(field: impl Into<String>) -> Self {
        let (portuguese, english) = ("Não é da equipe ativa desta empresa.", "Not an active member of this company's staff.");
        Self::new(field, "not_active_staff", portuguese, english)
    }
}

/// Refuses input of which something is wrong, with everything that is.
///
/// # Errors
/// 422 `invalid`, when there is a problem.
pub fn refuse(problems: impl IntoIterator<Item = FieldProblem>) -> Result<(), Error> {
    let problems: Vec<FieldProblem> = problems.into_iter().collect();
    if problems.is_empty() { Ok(()) } else { Err(INVALID.in_fields(problems)) }
}

/// Language of texts for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Portuguese,
    English,
}

impl Language {
    /// English when `Accept-Language` prefers it to Portuguese.
    #[must_use]
    pub fn from_header(accept_language: Option<&str>) -> Self {
        let first = accept_language.unwrap_or_default().split(',').next().unwrap_or_default().trim();
        if first.to_ascii_lowercase().starts_with("en") { Self::English } else { Self::Portuguese }
    }

    #[must_use]
    pub fn pick<'text>(self, portuguese: &'text str, english: &'text str) -> &'text str {
        match self {
            Self::Portuguese => portuguese,
            Self::English => english,
        }
    }
}

/// A failure on its way to the caller.
#[derive(Clone, Debug)]
pub struct Error(pub(crate) Box<Inner>);

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) problem: Problem,
    pub(crate) fields: Vec<FieldProblem>,
    pub(crate) current: Option<Value>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) cause: Option<String>,
    /// The constraint a statement violated, for `on_constraint`.
    pub(crate) constraint: Option<String>,
    /// Why the same work may succeed if done again, nothing of it having been committed: `deadlock`, `serialization`, `connection`, `plan`, `order`.
    pub(crate) transient: Option<&'static str>,
    /// The stored answer of an earlier request with the same `Idempotency-Key`.
    pub(crate) replay: Option<(u16, Value)>,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Inner {
            problem,
            fields: Vec::new(),
            current: None,
            retry_after: (problem.status == 503).then_some(2),
            cause: None,
            constraint: None,
            transient: None,
            replay: None,
        }))
    }
}

impl Error {
    /// The same, told of what stands in `field`.
    #[must_use]
    pub(crate) fn within(mut self, field: &str) -> Self {
        for problem in &mut self.0.fields {
            let name = std::mem::take(&mut problem.field);
            problem.field = if name.is_empty() { field.to_owned() } else { format!("{field}.{name}") };
        }
        self
    }

    #[must_use]
    pub fn problem(&self) -> Problem {
        self.0.problem
    }

    /// Why the same work may succeed if done again, nothing of it having been committed.
    #[must_use]
    pub fn passing_reason(&self) -> Option<&'static str> {
        self.0.transient
    }

    /// The same work may succeed if done again, nothing of it having been committed.
    pub(crate) fn passing(mut self, why: &'static str) -> Self {
        self.0.transient = Some(why);
        self
    }

    /// The reason for the log.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Body of the answer.
    #[must_use]
    pub fn to_json(&self, language: Language, request_id: &str) -> Value {
        let Inner { problem, fields, current, .. } = &*self.0;
        let detail = language.pick(problem.portuguese, problem.english);
        let mut body = json!({
            "type": format!("https://balcao.app/problems/{}", problem.code.replace('_', "-")),
            "title": title(problem.status, language),
            "status": problem.status,
            "code": problem.code,
            "detail": detail,
            // What front ends that know no problems show.
            "error": detail,
            "request_id": request_id,
        });
        if !fields.is_empty() {
            let fields = fields.iter().map(|field| {
                json!({"field": field.field, "code": field.code, "message": language.pick(&field.portuguese, &field.english)})
            });
            body["errors"] = fields.collect();
        }
        if let Some(current) = current {
            body["current"] = current.clone();
        }
        body
    }
}

/// Turns a violated constraint into the problem it means to the caller.
pub trait OnConstraint {
    /// Replaces a violation of the constraint `name` with `problem`.
    #[must_use]
    fn on_constraint(self, name: &str, problem: Problem) -> Self;
}

impl<T> OnConstraint for Result<T, Error> {
    fn on_constraint(self, name: &str, problem: Problem) -> Self {
        self.map_err(|error| if error.0.constraint.as_deref() == Some(name) { problem.into() } else { error })
    }
}

fn title(status: u16, language: Language) -> &'static str {
    let (portuguese, english) = match status {
        400 => ("Requisição malformada", "Bad request"),
        401 => ("Não autenticado", "Not authenticated"),
        403 => ("Sem permissão", "Forbidden"),
        404 => ("Não encontrado", "Not found"),
        409 => ("Conflito", "Conflict"),
        410 => ("Não existe mais", "Gone"),
        413 => ("Grande demais", "Too large"),
        415 => ("Tipo de conteúdo não aceito", "Unsupported media type"),
        422 => ("Dados inválidos", "Invalid data"),
        429 => ("Muitas requisições", "Too many requests"),
        503 => ("Indisponível", "Unavailable"),
        _ => ("Erro interno", "Internal error"),
    };
    language.pick(portuguese, english)
}
