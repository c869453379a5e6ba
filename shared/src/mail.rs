//! Mails to people. A row says what is to be sent, a job sends it; the texts are the worker's.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    closed_set,
    database::Transaction,
    jobs::{Job, Queue},
    links::Link,
    parameters,
};

closed_set! {
    /// What a mail says; its texts are in `functions/system/src/mail`, who may have it sent in the table `mail_rules`.
    pub Template {
        /// Invites somebody into the company: `inviter`, `role`.
        Invite = "invite",
        /// The link to a new password. `by_admin` when somebody else asked for it.
        PasswordReset = "password_reset",
        /// The password has been changed.
        PasswordChanged = "password_changed",
        /// Somebody has signed in from elsewhere: `device`, `place`, `at`.
        NewDevice = "new_device",
        /// From now on logins ask for a code: `device`, `place`, `at`, as of the next two.
        TwoFactorEnabled = "two_factor_enabled",
        /// Logins ask for no code any more.
        TwoFactorDisabled = "two_factor_disabled",
        /// The earlier recovery codes open nothing any more.
        RecoveryCodesRenewed = "recovery_codes_renewed",
        /// Somebody waits to be let in: `person`, `email`.
        ApprovalAsked = "approval_asked",
        /// The company has let the person in.
        Approved = "approved",
        /// What they have not read: `titles`, and how many `more`.
        Notifications = "notifications",
        /// A step of a sequence: `subject`, `paragraphs`.
        Followup = "followup",
    }
}

/// A mail to be sent once this transaction is committed.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    pub template: Template,
    pub to: &'a str,
    pub name: &'a str,
    /// `pt-BR` or `en`; others are read as the first.
    pub locale: &'a str,
    pub link: Option<Link>,
    /// What the template's texts name, without secrets.
    pub data: Value,
}

const QUEUE_MAIL: &str = "select app.queue_mail($1, $2, $3, $4, $5, $6, $7, $8)";

impl Transaction {
    /// Leaves a mail behind, in the name of the transaction's company; its id.
    pub fn mail(&self, mail: Mail<'_>) -> Uuid {
        let id = self.context().new_id();
        let Mail { template, to, name, locale, link, data } = mail;
        let purpose = link.map(|link| link.purpose.as_str());
        let row = parameters![
            id,
            template.as_str(),
            to.to_owned(),
            name.to_owned(),
            locale.to_owned(),
            purpose,
            link.map(|link| link.id),
            data
        ];
        self.defer(QUEUE_MAIL, row);
        self.enqueue(Job::new(self.context(), Queue::Mail, "send_email", id, json!({"mail_id": id})));
        id
    }
}
