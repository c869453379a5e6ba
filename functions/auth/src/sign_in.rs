//! The start of a login, by whatever somebody has proved who they are.

use shared::{Row, crypto, error::INTERNAL, prelude::*};

use crate::{
    Company, TokenPair,
    device::{Device, network_of},
    notices::{self, Addressee},
};

const SIGN_IN: &str = "select * from app.sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Who signed in, where, and with what.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedIn {
    pub user: SignedInUser,
    pub company: Company,
    #[serde(flatten)]
    pub tokens: TokenPair,
}

/// Somebody by name, as the company that they are in knows them.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct SignedInUser {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// Where the picture is downloaded, below the base path that the front end uses.
    pub avatar_url: Option<String>,
}

/// A session about to start, with its first refresh token, and the device that it is of.
pub struct NewSession {
    pub id: Uuid,
    pub refresh_token: String,
    pub refresh_hash: Vec<u8>,
    pub device: Device,
    pub network: String,
}

impl NewSession {
    #[must_use]
    pub fn new(context: &Context) -> Self {
        let refresh_token = crypto::random_token();
        let origin = context.origin();
        Self {
            id: context.new_id(),
            refresh_hash: crypto::sha256(refresh_token.as_bytes()),
            refresh_token,
            device: Device::of(origin.user_agent.as_deref()),
            network: network_of(origin.ip.as_deref().unwrap_or_default()),
        }
    }

    /// What whoever signed in is answered, given the row that started the session. Tells them by mail of a device that they have not used
    /// before.
    pub fn answer(
        self,
        context: &Context,
        transaction: &Transaction,
        user: SignedInUser,
        company: Company,
        started: &Row,
    ) -> SignedIn {
        let identity = Identity { user_id: user.id, company_id: company.id, role: user.role, session_id: self.id };
        if started.get("is_new_device") {
            let to = Addressee { email: user.email.clone(), name: user.name.clone(), locale: started.get("locale") };
            notices::new_device(context, transaction, &to, &self.device);
        }
        SignedIn { tokens: TokenPair::new(context, &identity, self.refresh_token), user, company }
    }
}

/// Signs a person in, in a transaction of nobody, which is the system's of the company from then on. Commits nothing by itself.
///
/// # Errors
/// 403 `wrong_company` when the request names another one; as `Transaction::query`.
pub async fn sign_in(
    context: &Context,
    transaction: &Transaction,
    user: SignedInUser,
    company: Company,
) -> Result<SignedIn, Error> {
    context.is_for(company.id)?;
    let session = NewSession::new(context);
    let origin = context.origin();
    let device = session.device.name();
    let NewSession { id, refresh_hash, network, .. } = &session;
    let started = transaction
        .enter_with(
            SIGN_IN,
            &[id, &company.id, &user.id, refresh_hash, &origin.user_agent, &origin.ip, &origin.request_id, &device, network],
        )
        .await?
        .ok_or_else(|| INTERNAL.caused_by("a session that starts answers a row"))?;
    Ok(session.answer(context, transaction, user, company, &started))
}
