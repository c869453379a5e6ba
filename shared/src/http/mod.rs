//! HTTP routes: their declaration, what they take and what they answer.

pub mod access;
mod answer;
mod company;
#[cfg_attr(not(debug_assertions), expect(dead_code, reason = "only debug builds describe themselves"))]
pub mod describe;
mod extract;
mod field_problems;
mod file_body;
mod handler;
mod list;
mod media_type;
pub(crate) mod names;
mod query;
pub(crate) mod request;
mod route;
mod shape;
pub(crate) mod texts;
pub mod validation;

pub use answer::{
    Accepted, Answer, Created, IntoStored, Json, Made, NoContent, NumberedPage, Page, Pagination, Redirect, Reply, Report, Text,
};
pub use extract::{
    CommaSeparated, FromRequest, IdempotencyKey, IfMatch, Path, PathParameters, Query, RawBody, Unread, Versioned,
};
pub use file_body::FileBody;
pub use handler::{Endpoint, Handler};
pub use list::{List, Order, fitting};
pub use request::Request;
pub use route::Route;
