//! What handlers take from a request.

use std::{fmt, marker::PhantomData, str::FromStr};

use garde::Validate;
use http::header;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use super::{Json, Request, Route, describe::Description, names, query, validation};
use crate::{
    context::Context,
    crypto,
    error::{
        Error, FieldProblem, IDEMPOTENCY_KEY_REUSED, INVALID, MALFORMED, NOT_FOUND, PAYLOAD_TOO_LARGE, STALE,
        UNSUPPORTED_MEDIA_TYPE,
    },
};

/// A handler's argument that is made from the request.
pub trait FromRequest: Sized + Send + 'static {
    /// # Errors
    /// A client error that names what is wrong.
    fn from_request(request: &Request, route: &Route, context: &Context) -> Result<Self, Error>;

    /// Adds this argument to the route's description.
    fn describe(description: &mut Description);
}

/// The body, deserialised and then validated, every failing field reported at once.
impl<T> FromRequest for Json<T>
where
    T: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static,
{
    fn from_request(request: &Request, route: &Route, context: &Context) -> Result<Self, Error> {
        validation::read_clean(&body::<T>(request, route, context)?).map(Self)
    }

    fn describe(description: &mut Description) {
        description.body::<T>();
        description.failures.extend([MALFORMED, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID]);
    }
}

/// A body that its handler reads itself, described as a `T`: what it means hangs on more than the request.
#[derive(Debug)]
pub struct Unread<T> {
    pub value: Value,
    read_as: PhantomData<T>,
}

impl<T: DeserializeOwned + JsonSchema + Validate<Context = ()>> Unread<T> {
    /// The body, once it is what it is to be.
    ///
    /// # Errors
    /// 422 with every failing field.
    pub fn read(&self) -> Result<T, Error> {
        validation::read_clean(&self.value)
    }
}

impl<T: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static> FromRequest for Unread<T> {
    fn from_request(request: &Request, route: &Route, context: &Context) -> Result<Self, Error> {
        let value = body::<T>(request, route, context)?;
        Ok(Self { value, read_as: PhantomData })
    }

    fn describe(description: &mut Description) {
        Json::<T>::describe(description);
    }
}

/// The body, cleaned and with our names only.
fn body<T: JsonSchema + 'static>(request: &Request, route: &Route, context: &Context) -> Result<Value, Error> {
    if request.body().len() > route.body_limit {
        return Err(PAYLOAD_TOO_LARGE.into());
    }
    let value = validation::clean(names::take::<T>(request.json()?.clone())?)?;
    context.ask_for(crypto::sha256(value.to_string().as_bytes()));
    Ok(value)
}

/// The query string, deserialised and validated. Unknown parameters are ignored, and so are those without a value.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T> FromRequest for Query<T>
where
    T: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static,
{
    fn from_request(request: &Request, _: &Route, _: &Context) -> Result<Self, Error> {
        let pairs = names::take_pairs::<T>(query::given(request.raw_query())?)?;
        query::read(pairs).map(Self)
    }

    fn describe(description: &mut Description) {
        description.query::<T>();
        description.failures.push(INVALID);
    }
}

/// Any of several values of a query parameter: comma separated, or the parameter given more than once.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transparent, inline)]
pub struct CommaSeparated<T>(pub Vec<T>);

impl<'de, T> Deserialize<'de> for CommaSeparated<T>
where
    T: FromStr<Err: fmt::Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Vec::<String>::deserialize(deserializer)?;
        let parts = given.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().map_err(serde::de::Error::custom)).collect::<Result<_, _>>().map(Self)
    }
}

/// Values that a path may hold. Something that cannot be the id of anything is not found.
pub trait PathParameters: Sized + Send + 'static {
    /// One value for each name in braces.
    fn parse(values: &[&str]) -> Option<Self>;

    /// What each of them may be.
    fn schemas() -> Vec<Schema>;
}

impl PathParameters for Uuid {
    fn parse(values: &[&str]) -> Option<Self> {
        values.first()?.parse().ok()
    }

    fn schemas() -> Vec<Schema> {
        vec![schema_for!(Uuid)]
    }
}

impl PathParameters for String {
    fn parse(values: &[&str]) -> Option<Self> {
        values.first().map(|value| (*value).to_owned())
    }

    fn schemas() -> Vec<Schema> {
        vec![schema_for!(String)]
    }
}

impl PathParameters for (Uuid, Uuid) {
    fn parse(values: &[&str]) -> Option<Self> {
        Some((values.first()?.parse().ok()?, values.get(1)?.parse().ok()?))
    }

    fn schemas() -> Vec<Schema> {
        vec![schema_for!(Uuid), schema_for!(Uuid)]
    }
}

/// The values in braces of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// The same where another path of the route has none.
impl<T: PathParameters> FromRequest for Option<Path<T>> {
    fn from_request(request: &Request, route: &Route, context: &Context) -> Result<Self, Error> {
        let is_there = route.path_parameters().all(|name| request.path_parameter(name).is_some());
        is_there.then(|| Path::from_request(request, route, context)).transpose()
    }

    fn describe(description: &mut Description) {
        Path::<T>::describe(description);
    }
}

impl<T: PathParameters> FromRequest for Path<T> {
    fn from_request(request: &Request, route: &Route, _: &Context) -> Result<Self, Error> {
        let values: Option<Vec<&str>> = route.path_parameters().map(|name| request.path_parameter(name)).collect();
        values.and_then(|values| T::parse(&values)).map(Self).ok_or_else(|| NOT_FOUND.into())
    }

    fn describe(description: &mut Description) {
        description.path(T::schemas());
        description.failures.push(NOT_FOUND);
    }
}

/// The body as it came, for signed webhooks.
#[derive(Debug)]
pub struct RawBody(pub bytes::Bytes);

impl FromRequest for RawBody {
    fn from_request(request: &Request, route: &Route, _: &Context) -> Result<Self, Error> {
        if request.body().len() > route.body_limit {
            return Err(PAYLOAD_TOO_LARGE.into());
        }
        Ok(Self(request.body().clone()))
    }

    fn describe(description: &mut Description) {
        description.body::<serde_json::Map<String, serde_json::Value>>();
        description.failures.push(PAYLOAD_TOO_LARGE);
    }
}

/// The header `Idempotency-Key`, which every POST that creates or spends accepts. Taking it is enough: the transaction claims the key,
/// stores the answer with the work, and replays it for 24 hours to who asks for the same, in whatever names. `None` when not sent.
#[derive(Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl FromRequest for IdempotencyKey {
    fn from_request(request: &Request, _: &Route, context: &Context) -> Result<Self, Error> {
        if !request.has_header("idempotency-key") {
            return Ok(Self(None));
        }
        let key = request.header("idempotency-key").filter(|key| (1..=255).contains(&key.len()));
        let key = key.ok_or_else(|| {
            let (portuguese, english) = ("Use de 1 a 255 caracteres ASCII.", "Use 1 to 255 ASCII characters.");
            INVALID.in_fields(vec![FieldProblem::new("Idempotency-Key", "invalid", portuguese, english)])
        })?;
        context.use_idempotency_key(key.to_owned());
        Ok(Self(Some(key.to_owned())))
    }

    fn describe(description: &mut Description) {
        description.idempotent = true;
        description.failures.extend([IDEMPOTENCY_KEY_REUSED, INVALID]);
    }
}

/// A row that counts its changes. One that was never saved is at 0.
pub trait Versioned: Serialize {
    fn version(&self) -> i32;
}

impl<T: Versioned> Versioned for Option<T> {
    fn version(&self) -> i32 {
        self.as_ref().map_or(0, Versioned::version)
    }
}

/// The header `If-Match`: the version the caller last saw; `None` when not sent.
#[derive(Debug)]
pub struct IfMatch(pub Option<i32>);

impl IfMatch {
    /// Refuses to overwrite what somebody else has changed since: 409 with the row as it is now. The row must be locked.
    ///
    /// # Errors
    /// `stale_version`.
    pub fn check(self, current: &impl Versioned) -> Result<(), Error> {
        if self.0.is_none_or(|seen| seen == current.version()) { Ok(()) } else { Err(STALE.with_current(current)) }
    }
}

impl FromRequest for IfMatch {
    fn from_request(request: &Request, _: &Route, _: &Context) -> Result<Self, Error> {
        let Some(header) = request.header(header::IF_MATCH.as_str()) else { return Ok(Self(None)) };
        let version = header.trim().trim_matches('"').parse().map_err(|_| {
            INVALID.in_fields(vec![FieldProblem::new(
                "If-Match",
                "invalid",
                "Envie a versão como número.",
                "Send the version as a number.",
            )])
        })?;
        Ok(Self(Some(version)))
    }

    fn describe(description: &mut Description) {
        description.failures.extend([INVALID, STALE]);
    }
}
