//! POST /team/invites/{id}/resend — mails an invite again; it is good for another seven days.

use futures_util::future::try_join;
use shared::prelude::*;
use team::{
    invite::{INVITE, INVITE_GONE, INVITER, Invite, InviteState, InviteUpdated, Inviter, mail_invite},
    invite_columns,
};

const SENT_JUST_NOW: Problem = Problem::new(
    429,
    "sent_just_now",
    "Este convite acabou de ser enviado. Aguarde um minuto.",
    "This invite was sent just now. Wait a minute.",
);

const ROUTE: Route = Route::post("/team/invites/{id}/resend").fails(&[INVITE_GONE, SENT_JUST_NOW]);

/// Seconds between two mails of one invite.
const PAUSE: u32 = 60;

const RESEND: &str = concat!(
    "with sent as (
        update invites set sent_at = now(), expires_at = now() + interval '7 days'
         where id = $1 and used_at is null and revoked_at is null and sent_at < now() - interval '1 minute'
        returning *
    )
    select ",
    invite_columns!(),
    " from sent as invites"
);

pub fn main() {
    serve(&ROUTE, resend_invite);
}

async fn resend_invite(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
) -> Result<Json<Invite>, Error> {
    let transaction = context.begin(&caller).await?;
    let (sent, inviter): (Option<Invite>, Inviter) =
        try_join(transaction.first(RESEND, &[&id]), transaction.one(INVITER, &[])).await?;
    let Some(invite) = sent else {
        let invite: Invite = transaction.one(INVITE, &[&id]).await?;
        return Err(match invite.state {
            InviteState::Used | InviteState::Revoked => INVITE_GONE.into(),
            InviteState::Open | InviteState::Expired => SENT_JUST_NOW.retry_after(PAUSE),
        });
    };
    mail_invite(&transaction, &invite, &inviter);
    transaction.tell_staff(&InviteUpdated { invite: &invite });
    transaction.audit(id, &Value::Null, &json!({"expires_at": invite.expires_at}));
    transaction.commit(Json(invite)).await
}
