//! Who may ask for what only this machine's user may see: programs of this machine and the console's own page. A page of somebody else
//! in the user's browser may not, also when its name was made to lead here (DNS rebinding).

use std::net::Ipv4Addr;

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, Uri, header, uri::Authority};

const FOREIGN_HOST: &str = "Refused: call the local cloud as 127.0.0.1 or localhost, with its port.\n";
const FOREIGN_PAGE: &str = "Refused: a page of another origin may not call this part of the local cloud.\n";

/// The answer to a request that may not pass; `None` for one that may.
pub fn refusal(headers: &HeaderMap, uri: &Uri, port: u16) -> Option<Response> {
    let reason = if !is_for_us(headers, uri, port) {
        FOREIGN_HOST
    } else if !is_from_us(headers, port) {
        FOREIGN_PAGE
    } else {
        return None;
    };
    Some((StatusCode::FORBIDDEN, reason).into_response())
}

/// Refuses what `refusal` says, of everything that `router` serves on `port`.
pub fn only(router: Router, port: u16) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| async move {
        match refusal(request.headers(), request.uri(), port) {
            Some(refused) => refused,
            None => next.run(request).await,
        }
    }))
}

fn is_for_us(headers: &HeaderMap, uri: &Uri, port: u16) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let named = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    named.is_some_and(|host| is_ours(&host, port)) && uri.authority().is_none_or(|host| is_ours(host, port))
}

/// Browsers say where a request comes from, programs say nothing.
fn is_from_us(headers: &HeaderMap, port: u16) -> bool {
    let site_is_ours = |site: &str| ["same-origin", "none"].contains(&site);
    let origin_is_ours = |origin: &str| {
        let host = origin.strip_prefix("http://").and_then(|host| host.parse::<Authority>().ok());
        host.is_some_and(|host| is_ours(&host, port))
    };
    every(headers, "sec-fetch-site", site_is_ours) && every(headers, header::ORIGIN.as_str(), origin_is_ours)
}

fn every(headers: &HeaderMap, name: &str, is_ours: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(&is_ours))
}

fn is_ours(authority: &Authority, port: u16) -> bool {
    let host = authority.host();
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_loopback && authority.port_u16().unwrap_or(80) == port && !authority.as_str().contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(target: &str, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        refusal(&map, &target.parse().unwrap(), 8787).is_none()
    }

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in ["127.0.0.1:8787", "localhost:8787", "LOCALHOST:8787", "[::1]:8787", "127.0.0.2:8787"] {
            assert!(passes("/", &[("host", host)]), "{host}");
        }
        let foreign = [
            "evil.example:8787",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.1.evil.example:8787",
            "localhost.evil.example:8787",
            "192.168.0.7:8787",
            "0.0.0.0:8787",
            "me@localhost:8787",
            "",
        ];
        for host in foreign {
            assert!(!passes("/", &[("host", host)]), "{host}");
        }
        assert!(!passes("/", &[]));
        assert!(!passes("/", &[("host", "localhost:8787"), ("host", "evil.example")]));
        assert!(!passes("http://evil.example/", &[("host", "localhost:8787")]));
    }

    #[test]
    fn only_our_own_page_passes() {
        let with = |name, value| passes("/", &[("host", "127.0.0.1:8787"), (name, value)]);
        for origin in ["http://127.0.0.1:8787", "http://localhost:8787"] {
            assert!(with("origin", origin), "{origin}");
        }
        for origin in ["https://evil.example", "null", "http://localhost:5173", "https://localhost:8787", "http://localhost", ""]
        {
            assert!(!with("origin", origin), "{origin}");
        }
        assert!(with("sec-fetch-site", "same-origin") && with("sec-fetch-site", "none"));
        assert!(!with("sec-fetch-site", "cross-site") && !with("sec-fetch-site", "same-site"));
    }
}
