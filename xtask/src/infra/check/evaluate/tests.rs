use serde_json::{Value, json};

use super::{Deployment, EvaluationError, plan as plan_of};

fn evaluated(expression: &str) -> Value {
    try_evaluated(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn try_evaluated(expression: &str) -> Result<Value, EvaluationError> {
    let template = json!({
        "parameters": {"names": {"type": "array", "defaultValue": ["b", "a"]}},
        "variables": {
            "copy": [{"name": "numbered", "count": 2, "input": "[format('{0}-{1}', copyIndex('numbered', 1), parameters('names')[copyIndex('numbered')])]"}],
        },
    });
    Deployment::new(&template, &json!({})).value(&format!("[{expression}]").into())
}

#[test]
fn functions_of_texts() {
    for (expression, wanted) in [
        ("format('{0}-{1:}{{x}}', 'a', 1)", json!("a-{1:}{x}")),
        ("format('{0}{1}', 7, true())", json!("7True")),
        ("padLeft(7, 3, '0')", json!("007")),
        ("replace('a-b', '-', '')", json!("ab")),
        ("split('a/b,c', createArray('/', ','))", json!(["a", "b", "c"])),
        ("startsWith('Abc', 'aB')", json!(true)),
        ("endsWith('Abc', 'BC')", json!(true)),
        ("string(createArray(1, 'x'))", json!("[1,\"x\"]")),
        ("substring('abcd', 1, 2)", json!("bc")),
        ("join(createArray('a', 'b'), ', ')", json!("a, b")),
        ("length(guid('a'))", json!(36)),
        ("equals(guid('a', 'b'), guid('a', 'c'))", json!(false)),
        ("length(uniqueString('a'))", json!(13)),
        ("concat('a', 1, 'b')", json!("a1b")),
        ("uriComponent('a/b c')", json!("a%2Fb%20c")),
        ("json('{\"a\": [1]}').a[0]", json!(1)),
    ] {
        assert_eq!(evaluated(expression), wanted, "{expression}");
    }
}

#[test]
fn functions_of_collections() {
    for (expression, wanted) in [
        ("items(createObject('b', 1, 'a', 2))[0].key", json!("a")),
        ("union(createArray(1, 2), createArray(2, 3))", json!([1, 2, 3])),
        (
            "union(createObject('a', createObject('x', 1, 'y', 1)), createObject('a', createObject('y', 2)))",
            json!({"a": {"x": 1, "y": 2}}),
        ),
        (
            "shallowMerge(createArray(createObject('a', 1), createObject('a', 2)))",
            json!({"a": 2}),
        ),
        ("intersection(createArray('a', 'b'), createArray('b'))", json!(["b"])),
        (
            "intersection(createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))",
            json!({"a": 1}),
        ),
        ("contains(createObject('Key', 1), 'key')", json!(true)),
        ("contains('abc', 'B')", json!(false)),
        ("tryGet(createObject('a', createArray(1)), 'a', 0)", json!(1)),
        ("tryGet(createObject('a', 1), 'b', 'c')", json!(null)),
        ("coalesce(null(), tryGet(createObject(), 'x'), 'y')", json!("y")),
        ("range(2, 3)", json!([2, 3, 4])),
        ("last(createArray('a', 'b'))", json!("b")),
        ("first('abc')", json!("a")),
        ("take('abc', 2)", json!("ab")),
        ("skip(createArray(1, 2), 1)", json!([2])),
        ("indexOf('abCd', 'cD')", json!(2)),
        ("indexOf(createArray('a'), 'b')", json!(-1)),
        ("flatten(createArray(createArray(1), createArray(2)))", json!([1, 2])),
        ("objectKeys(createObject('b', 1, 'a', 2))", json!(["a", "b"])),
        ("empty(null())", json!(true)),
        ("max(createArray(1, 3))", json!(3)),
        ("createObject('Name', 1).name", json!(1)),
    ] {
        assert_eq!(evaluated(expression), wanted, "{expression}");
    }
}

#[test]
fn functions_with_lambda_expressions() {
    for (expression, wanted) in [
        (
            "map(range(0, 2), lambda('n', format('{0}', add(lambdaVariables('n'), 1))))",
            json!(["1", "2"]),
        ),
        (
            "map(createArray('a', 'b'), lambda('x', 'i', concat(lambdaVariables('x'), lambdaVariables('i'))))",
            json!(["a0", "b1"]),
        ),
        (
            "filter(parameters('names'), lambda('n', equals(lambdaVariables('n'), 'a')))",
            json!(["a"]),
        ),
        (
            "reduce(range(1, 3), 0, lambda('sum', 'n', add(lambdaVariables('sum'), lambdaVariables('n'))))",
            json!(6),
        ),
        (
            "sort(parameters('names'), lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))",
            json!(["a", "b"]),
        ),
        (
            "toObject(parameters('names'), lambda('n', lambdaVariables('n')), lambda('n', toUpper(lambdaVariables('n'))))",
            json!({"a": "A", "b": "B"}),
        ),
        (
            "mapValues(createObject('a', 1), lambda('v', add(lambdaVariables('v'), 1)))",
            json!({"a": 2}),
        ),
        (
            "map(createArray(1), lambda('x', map(createArray(2), lambda('y', add(lambdaVariables('x'), lambdaVariables('y'))))))",
            json!([[3]]),
        ),
        ("variables('numbered')", json!(["1-b", "2-a"])),
    ] {
        assert_eq!(evaluated(expression), wanted, "{expression}");
    }
}

#[test]
fn ids_have_the_scope_that_they_are_given() {
    let here = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector";
    for (expression, wanted) in [
        ("resourceId('A.B/c', 'x')", format!("{here}/providers/A.B/c/x")),
        (
            "resourceId('s', 'g', 'A.B/c/d', 'x', 'y')",
            "/subscriptions/s/resourceGroups/g/providers/A.B/c/x/d/y".to_owned(),
        ),
        (
            "subscriptionResourceId('A.B/c', 'x')",
            "/subscriptions/00000000-0000-0000-0000-000000000001/providers/A.B/c/x".to_owned(),
        ),
        (
            "extensionResourceId('/s', 'A.B/c', 'x')",
            "/s/providers/A.B/c/x".to_owned(),
        ),
    ] {
        assert_eq!(evaluated(expression), wanted, "{expression}");
    }
}

#[test]
fn what_only_azure_knows_stays_an_expression_and_the_rest_is_evaluated() {
    let template = json!({"resources": [{
        "type": "A.B/c",
        "name": "x",
        "properties": {
            "late": "[concat('a', toLower('B'), reference('/id', '2020').name)]",
            "chosen": "[if(equals(reference('/id').x, 1), 'yes', toLower('NO'))]",
            "inside": "[union(createObject('p', 1), createObject('q', reference('/id').x))]",
            "decided": "[and(false(), equals(reference('/id').x, 1))]",
            "named": "[guid('a', reference('/id').x)]",
        },
    }]});
    let plan = plan_of(&Deployment::new(&template, &json!({}))).unwrap();
    assert_eq!(
        plan[0]["properties"],
        json!({
            "late": "[concat('a', 'b', reference('/id', '2020').name)]",
            "chosen": "[if(equals(reference('/id').x, 1), 'yes', 'no')]",
            "inside": {"p": 1, "q": "[reference('/id').x]"},
            "decided": false,
            "named": "[guid('a', reference('/id').x)]",
        })
    );
}

#[test]
fn a_resource_is_made_as_often_as_its_copy_says_and_so_is_a_property() {
    let template = json!({
        "parameters": {"names": {"type": "array"}},
        "resources": [{
            "type": "A.B/c",
            "name": "[format('x{0}', copyIndex(1))]",
            "copy": {"name": "each", "count": "[length(parameters('names'))]"},
            "properties": {
                "of": "[parameters('names')[copyIndex()]]",
                "copy": [{"name": "parts", "count": 2, "input": "[add(copyIndex('parts'), mul(10, copyIndex('each')))]"}],
            },
        }],
    });
    let plan = |names: Value| plan_of(&Deployment::new(&template, &json!({"names": names}))).unwrap();
    assert!(plan(json!([])).is_empty());
    let both = plan(json!(["p", "q"]));
    assert_eq!(both[1]["name"], "x2");
    assert_eq!(both[1]["properties"], json!({"of": "q", "parts": [10, 11]}));
    assert_eq!(
        both[0]["id"],
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/A.B/c/x1"
    );
}

#[test]
fn a_deployment_inside_has_its_own_scope_and_parameters() {
    let template = json!({
        "variables": {"group": "other"},
        "resources": [{
            "type": "Microsoft.Resources/deployments",
            "name": "inner",
            "resourceGroup": "[variables('group')]",
            "properties": {
                "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"who": {"value": "[reference('/id').principalId]"}},
                "template": {
                    "parameters": {"who": {"type": "string"}},
                    "resources": [{
                        "type": "Microsoft.Authorization/roleAssignments",
                        "name": "[guid(resourceGroup().name, parameters('who'))]",
                        "scope": "[resourceId('A.B/c', 'x')]",
                    }],
                },
            },
        }],
    });
    let plan = plan_of(&Deployment::new(&template, &json!({}))).unwrap();
    assert_eq!(plan.len(), 1);
    assert_eq!(plan[0]["name"], "[guid('other', reference('/id').principalId)]");
    assert!(
        plan[0]["id"]
            .as_str()
            .unwrap()
            .contains("/resourceGroups/other/providers/A.B/c/x")
    );
}

#[test]
fn a_template_refuses_with_its_own_text() {
    let template = json!({
        "parameters": {"a": {"type": "string", "defaultValue": ""}, "size": {"type": "int", "defaultValue": 1, "allowedValues": [1, 2]}},
        "variables": {"checked": "[if(empty(parameters('a')), fail('give a'), 'a')]"},
        "resources": [{"type": "A.B/c", "name": "[variables('checked')]"}],
    });
    let plan = |given: Value| plan_of(&Deployment::new(&template, &given));
    let refused = |text: &str| Err(EvaluationError::Refused(text.to_owned()));
    assert_eq!(plan(json!({})), refused("give a"));
    assert_eq!(
        plan(json!({"a": "x", "size": 3})),
        refused("the parameter size must be one of [1,2]")
    );
    assert_eq!(plan(json!({"a": 1})), refused("the parameter a is no string"));
    assert_eq!(plan(json!({"b": 1})), refused("there is no parameter b"));
    assert!(plan(json!({"a": "x", "size": 2})).is_ok());
}

#[test]
fn a_wrong_template_is_told_from_a_refusal() {
    for expression in [
        "parameters('x')",
        "variables('x')",
        "parameters('names')[2]",
        "createObject('a', 1).b",
        "toLower(1)",
        "unknown()",
        "resourceId('A.B/c', 'x', 'y')",
        "substring('a', 2)",
        "if('x', 1, 2)",
        "copyIndex()",
        "add(1",
    ] {
        let error = try_evaluated(expression).unwrap_err();
        assert!(matches!(error, EvaluationError::Invalid(_)), "{expression}: {error:?}");
    }
}
