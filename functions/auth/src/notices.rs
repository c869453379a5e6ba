//! What people are told by mail about their account.

use shared::{
    links::{Link, Purpose},
    mail::{Mail, Template},
    prelude::*,
};

use crate::device::Device;

/// Who a mail goes to, in their language.
#[derive(Clone, Debug, FromRow)]
pub struct Addressee {
    pub email: String,
    pub name: String,
    pub locale: String,
}

impl Addressee {
    fn tell(&self, transaction: &Transaction, template: Template, link: Option<Link>, data: Value) {
        let Self { email, name, locale } = self;
        transaction.mail(Mail { template, to: email, name, locale, link, data });
    }
}

/// Somebody has signed in as this person with a device they had not used before.
pub fn new_device(context: &Context, transaction: &Transaction, to: &Addressee, device: &Device) {
    to.tell(transaction, Template::NewDevice, None, circumstances(context, device));
}

/// The person's second factor has changed as the template says, by this request.
pub fn second_factor_changed(context: &Context, transaction: &Transaction, to: &Addressee, template: Template) {
    let device = Device::of(context.origin().user_agent.as_deref());
    to.tell(transaction, template, None, circumstances(context, &device));
}

/// With what, where and when something was done.
fn circumstances(context: &Context, device: &Device) -> Value {
    let at = context.now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    json!({"device": device.name(), "place": context.origin().ip, "at": at})
}

/// The link by which a person sets a new password.
pub fn password_reset(transaction: &Transaction, to: &Addressee, reset_id: Uuid, is_by_admin: bool) {
    let link = Link { purpose: Purpose::PasswordReset, id: reset_id };
    to.tell(transaction, Template::PasswordReset, Some(link), json!({"by_admin": is_by_admin}));
}

/// The person's password has been changed.
pub fn password_changed(transaction: &Transaction, to: &Addressee) {
    to.tell(transaction, Template::PasswordChanged, None, json!({}));
}
