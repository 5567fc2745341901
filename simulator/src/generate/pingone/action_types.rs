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

const fn action(
    name: &'static str,
    resource_type: &'static str,
    link: &'static str,
    outcome: &'static str,
    actor: Actor,
) -> ActionType {
    ActionType {
        name,
        resource_type,
        link,
        outcome,
        actor,
        tags: &[],
        link_without_version: false,
    }
}

const fn tagged(action: ActionType) -> ActionType {
    ActionType {
        tags: &["adminIdentityEvent"],
        ..action
    }
}

const fn without_version(action: ActionType) -> ActionType {
    ActionType {
        link_without_version: true,
        ..action
    }
}

use Actor::{Console, Person, System, Worker};

/// Every type the generator knows, in the order it walks them.
#[rustfmt::skip]
pub(super) const ACTION_TYPES: &[ActionType] = &[
    action("FLOW.CREATED", "FLOW", "/flows/{id}", "A flow was opened under the policy {name}", Worker),
    action("FLOW.UPDATED", "FLOW", "/flows/{id}", "The flow went on under the policy {name}", Person),
    action("FLOW.DELETED", "FLOW", "/flows/{id}", "The flow came to its end under the policy {name}", Person),
    action("USER.ACCESS_ALLOWED", "USER", "/users/{id}", "The role check let the person in", Person),
    action("PASSWORD.CHECK_SUCCEEDED", "USER", "/users/{id}", "The password of {id} was right", System),
    action("PASSWORD.CHECK_FAILED", "USER", "/users/{id}", "The password of {id} was wrong", System),
    action("PASSWORD.SET", "USER", "/users/{id}", "A password was set on {id}", System),
    action("PASSWORD.RESET", "USER", "/users/{id}", "The password of {name} was reset", Console),
    tagged(action("USER.CREATED", "USER", "/users/{id}", "The user {name} was added", Worker)),
    tagged(action("USER.UPDATED", "USER", "/users/{id}", "The user {name} was changed", Console)),
    action("USER.LOCKED", "USER", "/users/{id}", "{name} was locked after too many tries", System),
    tagged(action("USER.DELETED", "USER", "/users/{id}", "The user {name} was removed", Console)),
    without_version(tagged(action("ROLE_ASSIGNMENT.CREATED", "USER", "/users/{id}/roleAssignments/{part}",
        "Assignment '{part}' was given to '{id}'", System))),
    tagged(action("ROLE_ASSIGNMENT.DELETED", "USER", "/users/{id}/roleAssignments/{part}",
        "Assignment '{part}' was taken from '{id}'", Console)),
    action("ACTION.CREATED", "SIGN_ON_POLICY", "/signOnPolicies/{id}/actions/{part}", "Step {part} was added", System),
    action("APPLICATION.CREATED", "APPLICATION", "/applications/{id}", "{name} was set up, enabled", System),
    action("APPLICATION.UPDATED", "APPLICATION", "/applications/{id}", "{name} was changed, disabled", Console),
    action("GRANT.CREATED", "APPLICATION", "/applications/{id}", "'{id}' may now ask '{part}'", Console),
    action("GRANT.DELETED", "APPLICATION", "/applications/{id}", "'{id}' may no longer ask '{part}'", Console),
    action("SAML_ATTRIBUTE.CREATED", "APPLICATION", "/applications/{id}", "Mapping '{name}' added to '{id}'", Console),
    action("GROUP.CREATED", "GROUP", "/groups/{id}", "The group {name} was added", Worker),
    action("GROUP.UPDATED", "GROUP", "/groups/{id}", "The group {name} was changed", Console),
    action("POPULATION.DELETED", "POPULATION", "/populations/{id}", "The population {name} was removed", Console),
    action("ENVIRONMENT.CREATED", "ENVIRONMENT", "", "The environment {name} was opened", Console),
    action("KEY.CREATED", "KEY", "/keys/{id}", "A signing key for {name} was made", Console),
    action("POLICY.DELETED", "SIGN_ON_POLICY", "/signOnPolicies/{id}", "The sign-on policy {name} was removed", Console),
    action("FIDO_POLICY.UPDATED", "FIDO Policy", "/fidoPolicies/{id}", "Passkey rules changed: \"{name}\"", Console),
    action("NOTIFICATION_POLICY.CREATED", "Notification Policy", "/notificationsPolicies/{id}",
        "Message rules added: \"{name}\"", Console),
    action("RISK_POLICY_SET.UPDATED", "RISK_POLICY", "/riskPolicySets/{id}", "Risk set \"{name}\" was changed.", Console),
    action("RISK_PREDICTOR.DELETED", "RISK_PREDICTOR", "/riskPredictors/{id}", "Predictor \"{name}\" is gone.", Console),
    action("IDENTITY_PROVIDER.DELETED", "IDENTITY_PROVIDER", "/identityProviders/{id}", "{name} is gone.", Console),
    action("PROVISIONING_RULE.CREATED", "PROVISIONING_IDENTITY_RULE", "/propagation/rules/{id}",
        "The rule {name} was added.", Console),
    action("RESOURCE_ATTRIBUTE.CREATED", "RESOURCE", "/resources/{id}/attributes/{part}", "Claim added: {name}", Console),
    action("SCOPE.UPDATED", "SCOPE", "/resources/{id}/scopes/{part}", "The scope {name} of '{id}' was changed", Console),
    action("SCHEMA_ATTRIBUTE.DELETED", "SCHEMA", "/schemas/{id}/attributes/{part}", "Attribute {name} is gone", Console),
    action("OTP.CHECK_SUCCEEDED", "USER", "/users/{id}", "The code of {id} was right", System),
    action("OTP.CHECK_FAILED", "USER", "/users/{id}", "The code of {id} was wrong", System),
    action("DEVICE.CREATED", "DEVICE", "/users/{id}/devices/{part}", "The device {name} was paired", Person),
    action("DEVICE.DELETED", "DEVICE", "/users/{id}/devices/{part}", "The device {name} was unpaired", Console),
    action("NOTIFICATION.SENT", "NOTIFICATION", "/users/{id}/notifications/{part}", "A message went to {name}", System),
    action("GATEWAY.CREATED", "GATEWAY", "/gateways/{id}", "The gateway {name} was added", Console),
    action("CERTIFICATE.DELETED", "CERTIFICATE", "/certificates/{id}", "The certificate {name} was removed", Console),
    action("AGREEMENT.UPDATED", "AGREEMENT", "/agreements/{id}", "The terms \"{name}\" have another text", Console),
    action("SUBSCRIPTION.CREATED", "SUBSCRIPTION", "/subscriptions/{id}", "A webhook {name} was added", Worker),
    tagged(action("GROUP_MEMBERSHIP.DELETED", "USER", "/users/{id}/memberOfGroups/{part}",
        "'{id}' left the group '{part}'", Worker)),
];
