//! A company named in a request. The session says which company it is for; naming another one is refused, so that nothing is done in
//! the wrong one by mistake.

use uuid::Uuid;

use super::{Request, Route, names::COMPANY};
use crate::{
    access::Identity,
    error::{Error, WRONG_COMPANY},
};

/// Refuses a company that is not the session's.
pub(super) fn check(given: Option<&str>, caller: &Identity) -> Result<(), Error> {
    let is_own = given.is_some_and(|given| given.trim().parse::<Uuid>().is_ok_and(|id| id == caller.company_id));
    if is_own { Ok(()) } else { Err(WRONG_COMPANY.into()) }
}

/// Refuses a query that names another company, unless the route is the one that enters it.
pub(super) fn check_query(request: &Request, route: &Route, caller: Option<Identity>) -> Result<(), Error> {
    let Some(caller) = caller.filter(|_| !route.path.starts_with("/auth/companies/")) else { return Ok(()) };
    let pairs = url::form_urlencoded::parse(request.raw_query().as_bytes());
    for (_, value) in pairs.filter(|(name, value)| COMPANY.contains(&name.as_ref()) && !value.trim().is_empty()) {
        check(Some(value.as_ref()), &caller)?;
    }
    Ok(())
}
