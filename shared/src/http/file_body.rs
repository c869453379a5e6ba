//! A file in the body of a request: a part of a form, or all of it.

use std::{convert::Infallible, future::ready};

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use garde::Validate;
use http::header;
use multer::Multipart;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    FromRequest, Request, Route,
    describe::Description,
    field_problems::required,
    names::{self, COMPANY},
    query,
};
use crate::{
    context::Context,
    error::{Error, FieldProblem, INTERNAL, INVALID, PAYLOAD_TOO_LARGE, Problem, refuse},
};

/// Bytes of the largest file: as base64, in which it comes, a Lambda function is called with no more than 6 MB.
const LARGEST: usize = 4 * 1024 * 1024;

/// What a form may have around its file.
const AROUND: usize = 16 * 1024;

/// Parts of a form.
const MOST_PARTS: usize = 20;

const MALFORMED_FORM: Problem =
    Problem::new(400, "malformed_form", "O formulário enviado não pôde ser lido.", "The form could not be read.");

const NOT_UTF8: Problem = Problem::new(
    422,
    "not_utf8",
    "O texto não está em UTF-8. Envie o arquivo em um formulário.",
    "The text is not in UTF-8. Send the file in a form.",
);

/// A file of at most 4 MiB with what is said of it: as `multipart/form-data` with a part `file` and a part for each field of `T`, or as
/// bytes of any other type, with these fields in the query.
#[derive(Debug)]
pub struct FileBody<T> {
    pub fields: T,
    pub bytes: Bytes,
    /// As it was declared.
    pub mime_type: Option<String>,
    /// Its name, where a form gives one.
    pub file_name: Option<String>,
}

impl<T> FromRequest for FileBody<T>
where
    T: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static,
{
    fn from_request(request: &Request, _: &Route, context: &Context) -> Result<Self, Error> {
        if request.body().len() > LARGEST + AROUND {
            return Err(PAYLOAD_TOO_LARGE.into());
        }
        let mut given = query::given(request.raw_query())?;
        let content_type = request.header(header::CONTENT_TYPE.as_str());
        let is_form = content_type.is_some_and(|content_type| {
            content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("multipart/form-data")
        });
        let file = if is_form {
            let form = Form::read(content_type.unwrap_or_default(), request.body().clone())?;
            let named = form.fields.iter().filter(|(name, _)| COMPANY.contains(&name.as_str()));
            let named: Vec<String> =
                named.map(|(_, company)| company.trim().to_owned()).filter(|name| !name.is_empty()).collect();
            if !named.is_empty() {
                context.hear_of_companies(named);
                context.identity().map_or(Ok(()), |caller| context.is_for(caller.company_id))?;
            }
            let fields = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form.fields).finish();
            let of_form = query::given(&fields)?;
            // What both say, the form says.
            given.retain(|(name, _)| !of_form.iter().any(|(known, _)| known == name));
            given.extend(of_form);
            form.file
        } else if is_damaged_text(content_type, request.body()) {
            return Err(NOT_UTF8.into());
        } else {
            Some(request.body()).filter(|body| !body.is_empty()).map(|body| PartFile {
                bytes: body.clone(),
                mime_type: content_type.map(str::to_owned),
                name: None,
            })
        };
        let fields = query::read(names::take_pairs::<T>(given)?)?;
        let Some(PartFile { bytes, mime_type, name: file_name }) = file else {
            return Err(INVALID.in_fields(vec![required("file")]));
        };
        if bytes.len() > LARGEST {
            return Err(PAYLOAD_TOO_LARGE.into());
        }
        Ok(Self { fields, bytes, mime_type, file_name })
    }

    fn describe(description: &mut Description) {
        description.file::<T>();
        description.failures.extend([MALFORMED_FORM, NOT_UTF8, PAYLOAD_TOO_LARGE, INVALID]);
    }
}

/// What is said to be text the gateway hands on as text: where it was none in UTF-8, signs stand for what is lost.
fn is_damaged_text(content_type: Option<&str>, body: &[u8]) -> bool {
    const TEXTS: [&str; 3] = ["application/json", "application/xml", "application/javascript"];
    let bare = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = bare.starts_with("text/") || TEXTS.contains(&bare.as_str());
    let lost = "\u{fffd}".as_bytes();
    is_text && body.windows(lost.len()).any(|window| window == lost)
}

#[derive(Debug)]
struct PartFile {
    bytes: Bytes,
    mime_type: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Default)]
struct Form {
    fields: Vec<(String, String)>,
    file: Option<PartFile>,
}

impl Form {
    fn read(content_type: &str, body: Bytes) -> Result<Self, Error> {
        let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
        let whole = stream::once(ready(Ok::<_, Infallible>(body)));
        // All of it is there, so nothing is waited for.
        let read = Self::parts(Multipart::new(whole, boundary)).now_or_never();
        read.unwrap_or_else(|| Err(INTERNAL.caused_by("a form in memory was waited for")))
    }

    async fn parts(mut parts: Multipart<'_>) -> Result<Self, Error> {
        let mut form = Self::default();
        let mut count = 0;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            count += 1;
            if count > MOST_PARTS {
                return Err(MALFORMED_FORM.caused_by("too many parts"));
            }
            let name = part.name().unwrap_or_default().to_owned();
            if name != "file" {
                let bytes = part.bytes().await.map_err(unreadable)?;
                let text = std::str::from_utf8(&bytes).map_err(unreadable)?;
                form.fields.push((name, text.to_owned()));
                continue;
            }
            if form.file.is_some() {
                let problem = FieldProblem::new("file", "repeated", "Envie um arquivo por vez.", "Send one file at a time.");
                refuse(vec![problem])?;
            }
            let mime_type = part.content_type().map(ToString::to_string);
            let file_name = part.file_name().map(str::to_owned).filter(|name| !name.trim().is_empty());
            form.file = Some(PartFile { bytes: part.bytes().await.map_err(unreadable)?, mime_type, name: file_name });
        }
        Ok(form)
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    MALFORMED_FORM.caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Form, Error> {
        Form::read("multipart/form-data; boundary=\"x\"", Bytes::from(body.replace('\n', "\r\n")))
    }

    fn code(body: &str) -> &'static str {
        read(body).unwrap_err().problem().code
    }

    #[test]
    fn a_form_has_one_file_and_fields() {
        let form = read(
            "--x\ncontent-disposition: form-data; name=\"purpose\"\n\ndocument\n--x\ncontent-disposition: form-data; name=\"file\"; \
             filename=\"a.png\"\ncontent-type: image/png\n\n\u{1}\u{2}\n\n--x--\n",
        )
        .unwrap();
        assert_eq!(form.fields, [("purpose".to_owned(), "document".to_owned())]);
        let file = form.file.unwrap();
        let said = (file.mime_type.as_deref(), file.name.as_deref(), &file.bytes[..]);
        assert_eq!(said, (Some("image/png"), Some("a.png"), &b"\x01\x02\r\n"[..]));
    }

    #[test]
    fn text_that_was_damaged_on_its_way_is_known() {
        let damaged = "Jo\u{fffd}o".as_bytes();
        assert!(is_damaged_text(Some("Text/CSV; charset=windows-1252"), damaged));
        assert!(!is_damaged_text(Some("text/csv"), "João".as_bytes()));
        assert!(!is_damaged_text(Some("application/octet-stream"), damaged));
        assert!(!is_damaged_text(None, damaged));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for broken in ["", "x", "--x\n", "--x\ncontent-disposition: form-data; name=\"file\"\n\nabc"] {
            assert_eq!(code(broken), "malformed_form", "{broken:?}");
        }
        let file = "--x\ncontent-disposition: form-data; name=\"file\"\n\na\n";
        assert_eq!(code(&format!("{file}{file}--x--\n")), "invalid");
        let field = "--x\ncontent-disposition: form-data; name=\"a\"\n\na\n".repeat(MOST_PARTS + 1);
        assert_eq!(code(&format!("{field}--x--\n")), "malformed_form");
        assert_eq!(Form::read("multipart/form-data", Bytes::new()).unwrap_err().problem().code, "malformed_form");
    }
}
