//! Addresses that people type and we call: a mail server, a language model, a front end. They lead out of our networks, or nowhere.
//!
//! What a name stands for is judged when it is called, not only when it is typed: whoever owns the name may point it elsewhere in between.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::{
    environment::{optional_variable, variable_or_nothing},
    error::FieldProblem,
};

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no address of this kind.
    Malformed,
    /// It is not encrypted.
    Unencrypted,
    /// Nobody knows the name.
    Unknown,
    /// It leads into a network that is not public.
    Inside,
}

impl Refusal {
    /// Stable, for field problems.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "invalid_address",
            Self::Unencrypted => "not_encrypted",
            Self::Unknown => "unknown_host",
            Self::Inside => "not_public",
        }
    }

    /// In Portuguese and in English.
    #[must_use]
    pub fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("Endereço inválido.", "Invalid address."),
            Self::Unencrypted => ("Use um endereço https.", "Use an https address."),
            Self::Unknown => ("Este endereço não existe.", "This host does not exist."),
            Self::Inside => ("Este endereço não é público.", "This address is not a public one."),
        }
    }

    /// As it is told of a field of the input.
    #[must_use]
    pub fn in_field(self, field: &str) -> FieldProblem {
        let (portuguese, english) = self.texts();
        FieldProblem::new(field, self.code(), portuguese, english)
    }
}

/// Addresses inside that the stage lets itself be pointed to: the local cloud's own machine, nothing in AWS.
fn allowed() -> Vec<IpAddr> {
    listed(variable_or_nothing("REACHABLE_INSIDE"))
}

fn listed(addresses: Option<String>) -> Vec<IpAddr> {
    addresses.unwrap_or_default().split(',').filter_map(|address| address.trim().parse().ok()).collect()
}

/// Where a server that somebody typed is reached; connect to these and to nothing else, so that the name cannot mean another by then.
///
/// # Errors
/// When there is none, or one of them is not public.
pub async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => tokio::net::lookup_host((host, port)).await.map_err(|_| Refusal::Unknown)?.collect(),
    };
    if found.is_empty() {
        return Err(Refusal::Unknown);
    }
    let allowed = allowed();
    let is_open = |address: &SocketAddr| is_public(address.ip()) || allowed.contains(&address.ip());
    if found.iter().all(is_open) { Ok(found) } else { Err(Refusal::Inside) }
}

/// An address as it is written.
struct Written {
    url: Url,
    host: Host,
    port: u16,
    is_plain: bool,
}

impl Written {
    fn read(text: &str) -> Result<Self, Refusal> {
        let url = Url::parse(text).map_err(|_| Refusal::Malformed)?;
        let is_plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(Refusal::Malformed),
        };
        let host = url.host().map(|host| host.to_owned());
        let (Some(host), Some(port)) = (host, url.port_or_known_default()) else { return Err(Refusal::Malformed) };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Refusal::Malformed);
        }
        Ok(Self { url, host, port, is_plain })
    }
}

/// What an address shows of itself, for one that is only kept: nobody is asked what its name stands for, which is judged when it is called.
///
/// # Errors
/// When it could not be called, whatever its name stands for.
pub fn look_at_url(text: &str) -> Result<Url, Refusal> {
    let Written { url, host, is_plain, .. } = Written::read(text)?;
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    // Without the variable nothing inside is looked at as if it could be called.
    let is_allowed = address.is_some_and(|address| listed(optional_variable("REACHABLE_INSIDE")).contains(&address));
    let is_inside = |name: &str| {
        let name = name.trim_end_matches('.');
        !name.contains('.') || [".localhost", ".local", ".internal"].iter().any(|ending| name.ends_with(ending))
    };
    match address {
        Some(address) if !is_public(address) && !is_allowed => Err(Refusal::Inside),
        None if url.domain().is_some_and(is_inside) => Err(Refusal::Inside),
        _ if is_plain && !is_allowed => Err(Refusal::Unencrypted),
        _ => Ok(url),
    }
}

/// Checks the address of a service over HTTP: encrypted, with nobody's name or password in it, and public. What the stage allows inside may
/// be plain.
///
/// # Errors
/// When it is not to be called.
pub async fn check_url(text: &str) -> Result<Url, Refusal> {
    let Written { url, host, port, is_plain } = Written::read(text)?;
    let host = match host {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let found = addresses(&host, port).await?;
    if is_plain && found.iter().any(|address| is_public(address.ip())) {
        return Err(Refusal::Unencrypted);
    }
    Ok(url)
}

/// Finds only what may be called; for the client of `Context::outside`.
#[derive(Debug)]
pub(crate) struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            match addresses(name.as_str(), 0).await {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(refusal) => Err(Box::new(io::Error::other(format!("{}: {}", name.as_str(), refusal.code()))) as _),
            }
        })
    }
}

impl PublicNames {
    pub(crate) fn shared() -> Arc<Self> {
        Arc::new(Self)
    }
}

/// Whether an address is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    // This network, private ones, loopback, link-local with the metadata of clouds, multicast and what is reserved.
    let is_inside = matches!((a, b), (0 | 10 | 127 | 224..=255, _) | (169, 254) | (172, 16..=31) | (192, 168));
    // Networks of carriers, protocol assignments, documentation, benchmarks, the old relay of IPv6.
    let is_special = matches!(
        (a, b, c),
        (100, 64..=127, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113)
    );
    !is_inside && !is_special
}

/// Of IPv6 only what is handed out to the internet; addresses that carry one of IPv4 lead wherever that does, and are not needed.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [a, b, ..] = address.segments();
    let is_handed_out = a & 0xe000 == 0x2000;
    // Protocol assignments with Teredo, documentation, 6to4, documentation again.
    let is_special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    is_handed_out && !is_special
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn inside_networks_are_not_public_however_they_are_written() {
        for inside in [
            "127.0.0.1",
            "127.255.0.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
        ] {
            assert!(!public(inside), "{inside}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for outside in [
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2a00::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
        ] {
            assert!(public(outside), "{outside}");
        }
    }

    #[test]
    fn an_address_that_is_kept_is_one_of_the_internet() {
        for (text, refusal) in [
            ("https://loja.exemplo.com.br/pedidos?v=1", None),
            ("https://8.8.8.8/x", None),
            ("http://loja.exemplo.com.br", Some(Refusal::Unencrypted)),
            ("https://127.0.0.1:8787/", Some(Refusal::Inside)),
            ("https://2130706433/", Some(Refusal::Inside)),
            ("https://[fd00:ec2::254]/latest", Some(Refusal::Inside)),
            ("https://localhost/", Some(Refusal::Inside)),
            ("https://intranet/", Some(Refusal::Inside)),
            ("https://metadata.google.internal./", Some(Refusal::Inside)),
            ("https://ana:senha@exemplo.com.br/", Some(Refusal::Malformed)),
            ("https://exemplo.com.br/#x", Some(Refusal::Malformed)),
            ("ftp://exemplo.com.br/", Some(Refusal::Malformed)),
            ("exemplo.com.br", Some(Refusal::Malformed)),
        ] {
            assert_eq!(look_at_url(text).err(), refusal, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_in_another_writing_is_judged_alike(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(is_public(address.into()), is_public(address.to_ipv6_mapped().into()));
        }
    }
}
