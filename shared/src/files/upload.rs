//! Uploads straight to S3: a form whose policy S3 checks, signed with Signature Version 4.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{bucket, incoming_key};
use crate::{aws, context::Context, crypto};

/// What a browser posts as `multipart/form-data`: all `fields`, then the file as the last one, named `file`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Upload {
    pub url: String,
    pub fields: BTreeMap<&'static str, String>,
    /// Seconds within which the upload must begin.
    pub expires_in: u64,
}

/// A form that lets its holder put one object at a file's incoming key, of exactly this type and of a size in `sizes` (bytes), again
/// and again for as long as `life`. There is no form for any other key.
#[must_use]
pub fn presigned_upload(
    context: &Context,
    (company_id, file_id): (Uuid, Uuid),
    mime_type: &str,
    sizes: RangeInclusive<u64>,
    life: Duration,
) -> Upload {
    let key = &incoming_key(company_id, file_id);
    let credentials = context.aws().credentials();
    let region = context.aws().region();
    let bucket = bucket();
    let url = match aws::endpoint_of("S3") {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None => format!("https://{bucket}.s3.{region}.amazonaws.com/"),
    };
    let signer = Signer {
        key_id: credentials.access_key_id(),
        secret: credentials.secret_access_key(),
        session_token: credentials.session_token(),
        region,
        now: context.now(),
    };
    Upload { url, fields: signer.fields(&bucket, key, mime_type, sizes, life), expires_in: life.as_secs() }
}

struct Signer<'a> {
    key_id: &'a str,
    secret: &'a str,
    session_token: Option<&'a str>,
    region: &'a str,
    now: Timestamp,
}

impl Signer<'_> {
    fn fields(
        &self,
        bucket: &str,
        key: &str,
        mime_type: &str,
        sizes: RangeInclusive<u64>,
        life: Duration,
    ) -> BTreeMap<&'static str, String> {
        let day = self.now.strftime("%Y%m%d").to_string();
        let mut fields = BTreeMap::from([
            ("key", key.to_owned()),
            ("Content-Type", mime_type.to_owned()),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", format!("{}/{day}/{}/s3/aws4_request", self.key_id, self.region)),
            ("x-amz-date", self.now.strftime("%Y%m%dT%H%M%SZ").to_string()),
        ]);
        if let Some(token) = self.session_token {
            fields.insert("x-amz-security-token", token.to_owned());
        }
        let mut conditions = vec![json!({"bucket": bucket}), json!(["content-length-range", sizes.start(), sizes.end()])];
        conditions.extend(fields.iter().map(|(name, value)| json!({*name: value})));
        let expires = self.now.saturating_add(life).unwrap_or(Timestamp::MAX);
        let policy = json!({
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
            "conditions": conditions,
        });
        let policy = STANDARD.encode(policy.to_string());
        fields.insert("x-amz-signature", signature(self.secret, &day, self.region, &policy));
        fields.insert("policy", policy);
        fields
    }
}

/// Signature Version 4 of an encoded policy, in hexadecimal digits.
fn signature(secret: &str, day: &str, region: &str, policy: &str) -> String {
    let first = format!("AWS4{secret}").into_bytes();
    let parts = [day, region, "s3", "aws4_request"];
    let key = parts.iter().fold(first, |key, part| crypto::hmac_sha256(&key, part.as_bytes()));
    hex::encode(crypto::hmac_sha256(&key, policy.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The example of AWS's "Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
    const EXAMPLE: &str = r#"{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}"#;
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_published_example_has_the_published_signature() {
        let policy = STANDARD.encode(EXAMPLE.replace('\n', "\r\n"));
        assert_eq!(
            signature(SECRET, "20151229", "us-east-1", &policy),
            "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
        );
    }

    fn fields(session_token: Option<&str>) -> BTreeMap<&'static str, String> {
        let now = "2026-01-31T23:59:58Z".parse().unwrap();
        let signer = Signer { key_id: "AKID", secret: SECRET, session_token, region: "sa-east-1", now };
        signer.fields("files", "company/c/f", "image/png", 10..=10, Duration::from_mins(15))
    }

    #[test]
    fn the_policy_names_every_field_the_size_and_the_end() {
        let fields = fields(Some("token"));
        let policy: Value = serde_json::from_slice(&STANDARD.decode(&fields["policy"]).unwrap()).unwrap();
        assert_eq!(policy["expiration"], "2026-02-01T00:14:58.000Z");
        let conditions = policy["conditions"].as_array().unwrap();
        let unsigned = ["policy", "x-amz-signature"];
        for (name, value) in fields.iter().filter(|(name, _)| !unsigned.contains(name)) {
            assert!(conditions.contains(&json!({*name: value})), "{name}");
        }
        assert!(conditions.contains(&json!({"bucket": "files"})));
        assert!(conditions.contains(&json!(["content-length-range", 10, 10])));
        assert_eq!(fields["x-amz-credential"], "AKID/20260131/sa-east-1/s3/aws4_request");
        assert_eq!(fields["x-amz-date"], "20260131T235958Z");
    }

    #[test]
    fn without_a_session_there_is_no_security_token() {
        assert!(!fields(None).contains_key("x-amz-security-token"));
    }
}
