//! Parameters that cannot work: the deployment stops before anything is made, with a sentence for each.

use serde_json::{Value, json};

use super::check::evaluate::{Deployment, EvaluationError};
use super::{read, template};
use crate::cargo::root;

fn built() -> Value {
    let ingredients = read(&root(), &root().join("infra/repository.txt")).unwrap();
    template::build(&ingredients).unwrap()
}

fn problem(template: &Value, given: &Value) -> String {
    let deployment = Deployment::new(template, given);
    let problem = deployment.value(&json!("[variables('problem')]")).unwrap();
    problem.as_str().unwrap().to_owned()
}

#[test]
fn what_is_half_filled_is_refused_with_the_parameter_that_is_missing() {
    let template = built();
    for (given, said) in [
        (json!({"pingOneClientId": "c"}), "pingOneEnvironmentId is missing"),
        (json!({"pingOneClientSecret": "s"}), "pingOneEnvironmentId is missing"),
        (
            json!({"pingOneAuthEnvironmentId": "e"}),
            "pingOneEnvironmentId is missing",
        ),
        (json!({"pingOneEnvironmentId": "e"}), "pingOneClientId is missing"),
        (
            json!({"pingOnePushToken": "t", "pingOneTables": []}),
            "pingOneTables is empty",
        ),
        (
            json!({"pingOneEnterpriseClientId": "c"}),
            "pingOneEnterprisePollUrl is missing",
        ),
        (
            json!({"pingOneEnterprisePassword": "p"}),
            "pingOneEnterprisePollUrl is missing",
        ),
        (
            json!({"pingOneEnterprisePollUrl": "u"}),
            "needs one of pingOneEnterpriseClientId and pingOneEnterpriseUsername",
        ),
        (
            json!({"pingOneEnterprisePollUrl": "u", "pingOneEnterpriseClientId": "c", "pingOneEnterpriseUsername": "n"}),
            "needs one of pingOneEnterpriseClientId and pingOneEnterpriseUsername",
        ),
        (json!({"sentinelOneApiToken": "t"}), "sentinelOneUrl is missing"),
        (
            json!({"sentinelOneUrl": "u", "sentinelOneStreams": []}),
            "sentinelOneStreams is empty",
        ),
        (json!({"oneLoginClientId": "c"}), "oneLoginUrl is missing"),
        (json!({"oneLoginClientSecret": "s"}), "oneLoginUrl is missing"),
        (json!({"oneLoginUrl": "u"}), "oneLoginClientId is missing"),
        (
            json!({"oneLoginBearerToken": "t", "oneLoginTables": []}),
            "oneLoginTables is empty",
        ),
        (json!({}), "No source is filled in"),
        (
            json!({"sentinelOneUrl": "u", "publicNetworkAccess": "Disabled"}),
            "publicNetworkAccess=Disabled needs virtualNetworkSubnetId",
        ),
        (
            json!({"sentinelOneUrl": "u", "privateEndpointSubnetId": "s"}),
            "privateEndpointSubnetId needs virtualNetworkSubnetId",
        ),
        (
            json!({"sentinelOneUrl": "u", "privateDnsZoneIds": {"blob": "z", "vault": "z"}}),
            "privateDnsZoneIds needs blob, table and vault",
        ),
        (
            json!({"sentinelOneUrl": "u", "tableOptions": {"SentinelOneAgents_CL": {"plan": "Auxiliary"}}}),
            "the plan of SentinelOneAgents_CL is neither Analytics nor Basic",
        ),
        (
            json!({"sentinelOneUrl": "u", "tableOptions": {"SentinelConnectorHealth_CL": {"plan": "Basic"}}}),
            "SentinelConnectorHealth_CL is read by an alert rule",
        ),
    ] {
        let problem = problem(&template, &given);
        assert!(problem.contains(said), "{given}: {problem}");
    }
}

#[test]
fn every_problem_is_said_at_once() {
    let problem = problem(&built(), &json!({"pingOneClientId": "c", "oneLoginUrl": "u"}));
    assert!(
        problem.contains("PingOne:") && problem.contains("OneLogin:"),
        "{problem}"
    );
}

#[test]
fn what_is_whole_has_no_problem() {
    let template = built();
    for given in [
        json!({"pingOneEnvironmentId": "e", "pingOneClientId": "c"}),
        json!({"pingOnePushToken": "t"}),
        json!({"pingOneEnterprisePollUrl": "u", "pingOneEnterpriseUsername": "n"}),
        json!({"sentinelOneUrl": "u", "tableOptions": {"SentinelOneAgents_CL": {"plan": "Basic"}, "OneLogin_CL": {"retentionInDays": 30}}}),
        json!({"oneLoginUrl": "u", "oneLoginClientId": "c", "publicNetworkAccess": "Disabled", "virtualNetworkSubnetId": "s"}),
    ] {
        assert_eq!(problem(&template, &given), "", "{given}");
    }
}

/// Every resource has the app's name in its own.
#[test]
fn a_problem_stops_the_deployment() {
    let template = built();
    let given = json!({"sentinelOneApiToken": "t"});
    let refused = Deployment::new(&template, &given).value(&json!("[variables('name')]"));
    let Err(EvaluationError::Refused(said)) = refused else {
        panic!("{refused:?}");
    };
    assert!(said.contains("sentinelOneUrl is missing"), "{said}");
}
