//! What handlers answer.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::cursor::TimeCursor;

/// A finished answer, before security headers are added.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

impl Reply {
    /// An answer with a JSON body.
    ///
    /// # Panics
    /// When `body` does not serialise, which is a mistake in its type.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers serialise");
        Self { status, headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body: body.into() }
    }
}

/// Something a handler may answer with.
pub trait Answer: Send + 'static {
    const STATUS: u16;
    /// Media type of the body; `None` without a body.
    const CONTENT_TYPE: Option<&'static str>;
    /// A status of failure that has the same body.
    const FAILING: Option<u16> = None;
    /// Another status of success that has the same body.
    const ALSO: Option<u16> = None;

    fn into_reply(self) -> Reply;

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("answers use valid statuses")
}

macro_rules! json_answers {
    ($($(#[$doc:meta])* $name:ident = $status:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name<T>(pub T);

            impl<T: Serialize + JsonSchema + Send + 'static> Answer for $name<T> {
                const STATUS: u16 = $status;
                const CONTENT_TYPE: Option<&'static str> = Some("application/json");

                fn into_reply(self) -> Reply {
                    Reply::json(status($status), &self.0)
                }

                fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
                    Some(generator.subschema_for::<T>())
                }
            }
        )*
    };
}

json_answers! {
    /// 200 with a JSON body; also the extractor of one.
    Json = 200;
    /// 201 with what was made.
    Created = 201;
    /// 202: taken in, without saying what came of it.
    Accepted = 202;
}

/// 201 with what was made, or 200 with what was there already.
#[derive(Debug)]
pub enum Made<T> {
    Now(T),
    Before(T),
}

impl<T> Made<T> {
    /// What is answered, whichever it is.
    pub fn into_inner(self) -> T {
        match self {
            Self::Now(body) | Self::Before(body) => body,
        }
    }

    const fn parts(&self) -> (u16, &T) {
        match self {
            Self::Now(body) => (201, body),
            Self::Before(body) => (200, body),
        }
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Made<T> {
    const STATUS: u16 = 201;
    const CONTENT_TYPE: Option<&'static str> = Some("application/json");
    const ALSO: Option<u16> = Some(200);

    fn into_reply(self) -> Reply {
        let (code, body) = self.parts();
        Reply::json(status(code), body)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// 200 with a JSON body when all is well, 503 with one like it when it is not.
#[derive(Debug)]
pub struct Report<T>(pub Result<T, T>);

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Report<T> {
    const STATUS: u16 = 200;
    const CONTENT_TYPE: Option<&'static str> = Some("application/json");
    const FAILING: Option<u16> = Some(503);

    fn into_reply(self) -> Reply {
        match self.0 {
            Ok(body) => Reply::json(StatusCode::OK, &body),
            Err(body) => {
                let mut reply = Reply::json(StatusCode::SERVICE_UNAVAILABLE, &body);
                reply.headers.push((header::RETRY_AFTER, HeaderValue::from_static("2")));
                reply
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// 200 with one page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    pub data: Vec<T>,
    /// What to pass as `cursor` for the next page; null on the last.
    #[schemars(with = "Option<TimeCursor>")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// All rows of a list that is short enough for one page.
    #[must_use]
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None }
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Page<T> {
    const STATUS: u16 = 200;
    const CONTENT_TYPE: Option<&'static str> = Some("application/json");

    fn into_reply(self) -> Reply {
        Reply::json(StatusCode::OK, &self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Self>())
    }
}

/// 200 with one page of a list whose screen shows page numbers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}NumberedPage")]
pub struct NumberedPage<T> {
    pub data: Vec<T>,
    pub pagination: Pagination,
}

/// Where a numbered page stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pagination {
    /// The first is 1.
    pub page: u32,
    /// Rows on a full page.
    pub limit: u32,
    /// Rows in all.
    pub total: i64,
    /// Pages in all.
    pub pages: i64,
}

impl Pagination {
    #[must_use]
    pub fn new(page: u32, limit: u32, total: i64) -> Self {
        let limit = limit.max(1);
        let full_pages = total / i64::from(limit);
        let rest = i64::from(total % i64::from(limit) > 0);
        Self { page, limit, total, pages: full_pages + rest }
    }

    /// Rows before this page.
    #[must_use]
    pub fn offset(page: u32, limit: u32) -> i64 {
        i64::from(page.saturating_sub(1)) * i64::from(limit)
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for NumberedPage<T> {
    const STATUS: u16 = 200;
    const CONTENT_TYPE: Option<&'static str> = Some("application/json");

    fn into_reply(self) -> Reply {
        Reply::json(StatusCode::OK, &self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Self>())
    }
}

/// 204.
#[derive(Debug)]
pub struct NoContent;

impl Answer for NoContent {
    const STATUS: u16 = 204;
    const CONTENT_TYPE: Option<&'static str> = None;

    fn into_reply(self) -> Reply {
        Reply { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new() }
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// 200 with plain text.
#[derive(Debug)]
pub struct Text(pub String);

impl Answer for Text {
    const STATUS: u16 = 200;
    const CONTENT_TYPE: Option<&'static str> = Some("text/plain");

    fn into_reply(self) -> Reply {
        Reply {
            status: StatusCode::OK,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))],
            body: self.0.into(),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<String>())
    }
}

/// 302 to another URL.
#[derive(Debug)]
pub struct Redirect(pub String);

impl Answer for Redirect {
    const STATUS: u16 = 302;
    const CONTENT_TYPE: Option<&'static str> = None;

    fn into_reply(self) -> Reply {
        let location = HeaderValue::from_str(&self.0).expect("our URLs are valid header values");
        Reply { status: StatusCode::FOUND, headers: vec![(header::LOCATION, location)], body: Bytes::new() }
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// An answer that can be stored under an `Idempotency-Key`.
pub trait IntoStored {
    /// Status and JSON body; `None` for answers without one.
    fn to_stored(&self) -> Option<(u16, Value)>;
}

impl<T: Serialize> IntoStored for Json<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        serde_json::to_value(&self.0).ok().map(|body| (200, body))
    }
}

impl<T: Serialize> IntoStored for Created<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        serde_json::to_value(&self.0).ok().map(|body| (201, body))
    }
}

impl<T: Serialize> IntoStored for Made<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        let (status, body) = self.parts();
        serde_json::to_value(body).ok().map(|body| (status, body))
    }
}

impl<T: Serialize> IntoStored for Accepted<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        serde_json::to_value(&self.0).ok().map(|body| (202, body))
    }
}

impl IntoStored for NoContent {
    fn to_stored(&self) -> Option<(u16, Value)> {
        Some((204, Value::Null))
    }
}

impl IntoStored for Redirect {
    fn to_stored(&self) -> Option<(u16, Value)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Pagination;

    #[test]
    fn a_rest_makes_a_page_of_its_own() {
        let pages = |total| Pagination::new(1, 50, total).pages;
        assert_eq!([pages(0), pages(1), pages(50), pages(51), pages(100)], [0, 1, 1, 2, 2]);
        assert_eq!(Pagination::offset(3, 50), 100);
    }
}
