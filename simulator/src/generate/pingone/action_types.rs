//! The table of PingOne audit action types. A new type is one more line.

/// Who did it, as far as the event says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Actor {
    /// The platform itself: the event has no `actors`.
    System,
    /// An administrator in the console, whose client has neither environment nor link.
    Console,
    /// A worker application alone.
    Worker,
    /// A person through an application.
    Person,
}

/// One kind of audit activity.
#[derive(Clone, Copy, Debug)]
pub struct ActionType {
    /// The vendor's word, for example `GROUP.CREATED`.
    pub name: &'static str,
    /// `resources[].type`: free text at the vendor's, sometimes with blanks.
    pub resource_type: &'static str,
    /// The link of the resource below its environment; `{id}` is the resource, `{part}` a part of it.
    pub(super) link: &'static str,
    /// `result.description`; may hold `{name}`, `{id}` and `{part}`.
    pub(super) outcome: &'static str,
    pub(super) actor: Actor,
    /// `tags`, absent when empty.
    pub(super) tags: &'static [&'static str],
    /// Some links lack the `/v1` of the others.
    pub(super) link_without_version: bool,
}

/// One of an administrator in the console.
const fn action(
    name: &'static str,
    resource_type: &'static str,
    link: &'static str,
    outcome: &'static str,
) -> ActionType {
    ActionType {
        name,
        resource_type,
        link,
        outcome,
        actor: Actor::Console,
        tags: &[],
        link_without_version: false,
    }
}

impl ActionType {
    const fn by(self, actor: Actor) -> ActionType {
        ActionType { actor, ..self }
    }

    const fn tagged(self) -> ActionType {
        ActionType {
            tags: &["adminIdentityEvent"],
            ..self
        }
    }

    const fn without_version(self) -> ActionType {
        ActionType {
            link_without_version: true,
            ..self
        }
    }
}

use Actor::{Person, System, Worker};

/// Every type the generator knows, in the order it walks them.
#[rustfmt::skip]
pub(super) const ACTION_TYPES: &[ActionType] = &[
    action("FLOW.CREATED", "FLOW", "/flows/{id}", "A flow was opened under the policy {name}").by(Worker),
    action("FLOW.UPDATED", "FLOW", "/flows/{id}", "The flow went on under the policy {name}").by(Person),
    action("FLOW.DELETED", "FLOW", "/flows/{id}", "The flow came to its end under the policy {name}").by(Person),
    action("USER.ACCESS_ALLOWED", "USER", "/users/{id}", "The role check let the person in").by(Person),
    action("PASSWORD.CHECK_SUCCEEDED", "USER", "/users/{id}", "The password of {id} was right").by(System),
    action("PASSWORD.CHECK_FAILED", "USER", "/users/{id}", "The password of {id} was wrong").by(System),
    action("PASSWORD.SET", "USER", "/users/{id}", "A password was set on {id}").by(System),
    action("PASSWORD.RESET", "USER", "/users/{id}", "The password of {name} was reset"),
    action("USER.CREATED", "USER", "/users/{id}", "The user {name} was added").by(Worker).tagged(),
    action("USER.UPDATED", "USER", "/users/{id}", "The user {name} was changed").tagged(),
    action("USER.LOCKED", "USER", "/users/{id}", "{name} was locked after too many tries").by(System),
    action("USER.DELETED", "USER", "/users/{id}", "The user {name} was removed").tagged(),
    action("ROLE_ASSIGNMENT.CREATED", "USER", "/users/{id}/roleAssignments/{part}",
        "Assignment '{part}' was given to '{id}'").by(System).tagged().without_version(),
    action("ROLE_ASSIGNMENT.DELETED", "USER", "/users/{id}/roleAssignments/{part}",
        "Assignment '{part}' was taken from '{id}'").tagged(),
    action("ACTION.CREATED", "SIGN_ON_POLICY", "/signOnPolicies/{id}/actions/{part}", "Step {part} was added").by(System),
    action("APPLICATION.CREATED", "APPLICATION", "/applications/{id}", "{name} was set up, enabled").by(System),
    action("APPLICATION.UPDATED", "APPLICATION", "/applications/{id}", "{name} was changed, disabled"),
    action("GRANT.CREATED", "APPLICATION", "/applications/{id}", "'{id}' may now ask '{part}'"),
    action("GRANT.DELETED", "APPLICATION", "/applications/{id}", "'{id}' may no longer ask '{part}'"),
    action("SAML_ATTRIBUTE.CREATED", "APPLICATION", "/applications/{id}", "Mapping '{name}' added to '{id}'"),
    action("GROUP.CREATED", "GROUP", "/groups/{id}", "The group {name} was added").by(Worker),
    action("GROUP.UPDATED", "GROUP", "/groups/{id}", "The group {name} was changed"),
    action("POPULATION.DELETED", "POPULATION", "/populations/{id}", "The population {name} was removed"),
    action("ENVIRONMENT.CREATED", "ENVIRONMENT", "", "The environment {name} was opened"),
    action("KEY.CREATED", "KEY", "/keys/{id}", "A signing key for {name} was made"),
    action("POLICY.DELETED", "SIGN_ON_POLICY", "/signOnPolicies/{id}", "The sign-on policy {name} was removed"),
    action("FIDO_POLICY.UPDATED", "FIDO Policy", "/fidoPolicies/{id}", "Passkey rules changed: \"{name}\""),
    action("NOTIFICATION_POLICY.CREATED", "Notification Policy", "/notificationsPolicies/{id}",
        "Message rules added: \"{name}\""),
    action("RISK_POLICY_SET.UPDATED", "RISK_POLICY", "/riskPolicySets/{id}", "Risk set \"{name}\" was changed."),
    action("RISK_PREDICTOR.DELETED", "RISK_PREDICTOR", "/riskPredictors/{id}", "Predictor \"{name}\" is gone."),
    action("IDENTITY_PROVIDER.DELETED", "IDENTITY_PROVIDER", "/identityProviders/{id}", "{name} is gone."),
    action("PROVISIONING_RULE.CREATED", "PROVISIONING_IDENTITY_RULE", "/propagation/rules/{id}",
        "The rule {name} was added."),
    action("RESOURCE_ATTRIBUTE.CREATED", "RESOURCE", "/resources/{id}/attributes/{part}", "Claim added: {name}"),
    action("SCOPE.UPDATED", "SCOPE", "/resources/{id}/scopes/{part}", "The scope {name} of '{id}' was changed"),
    action("SCHEMA_ATTRIBUTE.DELETED", "SCHEMA", "/schemas/{id}/attributes/{part}", "Attribute {name} is gone"),
    action("OTP.CHECK_SUCCEEDED", "USER", "/users/{id}", "The code of {id} was right").by(System),
    action("OTP.CHECK_FAILED", "USER", "/users/{id}", "The code of {id} was wrong").by(System),
    action("DEVICE.CREATED", "DEVICE", "/users/{id}/devices/{part}", "The device {name} was paired").by(Person),
    action("DEVICE.DELETED", "DEVICE", "/users/{id}/devices/{part}", "The device {name} was unpaired"),
    action("NOTIFICATION.SENT", "NOTIFICATION", "/users/{id}/notifications/{part}", "A message went to {name}").by(System),
    action("GATEWAY.CREATED", "GATEWAY", "/gateways/{id}", "The gateway {name} was added"),
    action("CERTIFICATE.DELETED", "CERTIFICATE", "/certificates/{id}", "The certificate {name} was removed"),
    action("AGREEMENT.UPDATED", "AGREEMENT", "/agreements/{id}", "The terms \"{name}\" have another text"),
    action("SUBSCRIPTION.CREATED", "SUBSCRIPTION", "/subscriptions/{id}", "A webhook {name} was added").by(Worker),
    action("GROUP_MEMBERSHIP.DELETED", "USER", "/users/{id}/memberOfGroups/{part}",
        "'{id}' left the group '{part}'").by(Worker).tagged(),
];
