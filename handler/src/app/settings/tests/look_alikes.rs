//! Which names are taken for settings, and which are left to others.

use crate::app::settings::catalog;
use crate::config::{Environment, InstanceName, Instances, LookAlikes, look_over};

fn known(names: &[&str]) -> Instances {
    look_over(
        &Environment::from(names.iter().map(|name| (*name, "x"))),
        catalog().unwrap(),
    )
    .instances
}

fn look_alikes(known: &Instances) -> LookAlikes<'_> {
    LookAlikes {
        catalog: catalog().unwrap(),
        known,
    }
}

#[track_caller]
fn assert_meant(name: &str, known: &Instances, setting: &str, instance: Option<&str>) {
    let meant = look_alikes(known)
        .meant_by(name)
        .unwrap_or_else(|| panic!("{name} looks like nothing"));
    assert_eq!(meant.setting, setting, "{name}");
    let of = meant.of.and_then(|of| of.instance);
    assert_eq!(of.as_ref().map(InstanceName::as_str), instance, "{name}");
}

#[test]
fn a_name_that_is_a_slip_away_from_a_setting_is_told() {
    let nobody = Instances::default();
    for (written, setting, instance) in [
        ("PINGONE_REGION", "PINGONE__REGION", Some("default")),
        ("PINGON__REGION", "PINGONE__REGION", Some("default")),
        ("PINGON__CLIENT_ID", "PINGONE__CLIENT_ID", Some("default")),
        ("PING_ONE__CLIENT_ID", "PINGONE__CLIENT_ID", Some("default")),
        ("pingone__region", "PINGONE__REGION", Some("default")),
        ("PINGONE_PUSH_TOKEN", "PINGONE__PUSH_TOKEN", Some("default")),
        (
            "PINGONE_ENTERPRISE_POLL_URL",
            "PINGONE_ENTERPRISE__POLL_URL",
            Some("default"),
        ),
        (
            "PINGONEENTERPRISE__POLL_URL",
            "PINGONE_ENTERPRISE__POLL_URL",
            Some("default"),
        ),
        (
            "PINGONE_ENTERPRIS__PASSWORD",
            "PINGONE_ENTERPRISE__PASSWORD",
            Some("default"),
        ),
        ("sentinelone__url", "SENTINELONE__URL", Some("default")),
        ("SENTINEL_ONE__URL", "SENTINELONE__URL", Some("default")),
        ("SENTINELONE_URL", "SENTINELONE__URL", Some("default")),
        ("SentinelOne__ApiToken", "SENTINELONE__API_TOKEN", Some("default")),
        ("SENTINALONE__API_TOKEN", "SENTINELONE__API_TOKEN", Some("default")),
        ("ONELOGIN_BEARER_TOKEN", "ONELOGIN__BEARER_TOKEN", Some("default")),
        ("ONE_LOGIN__URL", "ONELOGIN__URL", Some("default")),
        ("ONELOGN__BEARER_TOKEN", "ONELOGIN__BEARER_TOKEN", Some("default")),
        ("pingone__acme__client_id", "PINGONE__ACME__CLIENT_ID", Some("acme")),
        ("PINGON__ACME__CLIENT_ID", "PINGONE__ACME__CLIENT_ID", Some("acme")),
        ("PINGONE_ACME__REGION", "PINGONE__ACME__REGION", Some("acme")),
        ("SENTINEL_ONE__ACME__URL", "SENTINELONE__ACME__URL", Some("acme")),
        // The pair of a source is that of all its instances.
        ("PINGONE_RULE_ID", "PINGONE__RULE_ID", None),
        ("LOGS_INGESTON__ENDPOINT", "LOGS_INGESTION__ENDPOINT", None),
        ("LOG_INGESTION__RULE_ID", "LOGS_INGESTION__RULE_ID", None),
        ("LOGS_INGESTION_ENDPOINT", "LOGS_INGESTION__ENDPOINT", None),
        ("HEALTH_ENABLED", "HEALTH__ENABLED", None),
        ("POL_BUDGET", "POLL_BUDGET", None),
        ("poll_budget", "POLL_BUDGET", None),
        ("SPOOLMAXBYTES", "SPOOL_MAX_BYTES", None),
        ("DEADLETTERS_MAX_BYTES", "DEAD_LETTERS_MAX_BYTES", None),
        ("STATE_URI", "STATE_URL", None),
        ("STATEURL", "STATE_URL", None),
        ("state_url", "STATE_URL", None),
        ("DESTINATION_DIRR", "DESTINATION_DIR", None),
        ("DESTINATON_DIR", "DESTINATION_DIR", None),
        ("LOG_FORMATT", "LOG_FORMAT", None),
        ("LOGFORMAT", "LOG_FORMAT", None),
        ("MEMORY_BUGDET", "MEMORY_BUDGET", None),
        ("STAET_URL", "STATE_URL", None),
        ("STTATE_URL", "STATE_URL", None),
        ("SATE_URL", "STATE_URL", None),
        ("STSTE_URL", "STATE_URL", None),
        ("LGO_FORMAT", "LOG_FORMAT", None),
        ("DESTINATIOM_DIR", "DESTINATION_DIR", None),
        ("SPOL_MAX_BYTES", "SPOOL_MAX_BYTES", None),
        ("PINGNOE__REGOIN", "PINGONE__REGION", Some("default")),
        ("SENTINELONE_URI", "SENTINELONE__URL", Some("default")),
    ] {
        assert_meant(written, &nobody, setting, instance);
    }
    let acme = known(&["PINGONE__ACME__CLIENT_ID"]);
    assert_meant(
        "PINGONE_ACME_CLIENT_SECRET",
        &acme,
        "PINGONE__ACME__CLIENT_SECRET",
        Some("acme"),
    );
    assert!(look_alikes(&nobody).meant_by("PINGONE_ACME_CLIENT_SECRET").is_none());
}

#[test]
fn a_setting_under_the_prefix_of_its_source_is_told_with_its_instance() {
    let acme = known(&["SENTINELONE__ACME__API_TOKEN"]);
    for (prefix, rest, setting) in [
        ("PINGONE__", "REGOIN", Some("PINGONE__REGION")),
        ("PINGONE__", "CLIENT__ID", Some("PINGONE__CLIENT_ID")),
        ("PINGONE__", "ACME__CLIENT__ID", Some("PINGONE__ACME__CLIENT_ID")),
        ("PINGONE__", "acme__REGOIN", Some("PINGONE__ACME__REGION")),
        ("PINGONE__", "ACME_CLIENT_ID", Some("PINGONE__ACME__CLIENT_ID")),
        ("PINGONE__", "CLIENT", Some("PINGONE__CLIENT_ID")),
        ("PINGONE__", "ACME__CLIENT", Some("PINGONE__ACME__CLIENT_ID")),
        ("PINGONE__", "ENVIRONMENT", Some("PINGONE__ENVIRONMENT_ID")),
        ("PINGONE__", "TABEL", Some("PINGONE__TABLES")),
        ("PINGONE__", "acme_client_id", Some("PINGONE__ACME__CLIENT_ID")),
        ("SENTINELONE__", "Acme_Url", Some("SENTINELONE__ACME__URL")),
        (
            "PINGONE__",
            "ENTERPRISE__POLL_URL",
            Some("PINGONE_ENTERPRISE__POLL_URL"),
        ),
        (
            "PINGONE__",
            "ACME__POLL_URL",
            Some("PINGONE_ENTERPRISE__ACME__POLL_URL"),
        ),
        ("SENTINELONE__", "ACME_URL", Some("SENTINELONE__ACME__URL")),
        ("SENTINELONE__", "ZETA_URL", None),
        ("SENTINELONE__", "ACCOUNT_ID", None),
        ("ONELOGIN__", "TOKEN", Some("ONELOGIN__BEARER_TOKEN")),
        ("ONELOGIN__", "SUBDOMAIN", None),
        ("ONELOGIN__", "USERS", None),
    ] {
        let meant = look_alikes(&acme)
            .meant_by(&format!("{prefix}{rest}"))
            .map(|meant| meant.setting);
        assert_eq!(meant.as_deref(), setting, "{prefix}{rest}");
    }
}

/// What the platform, the shell and other tools set: none of it may stop anything.
const OF_OTHERS: &str = "
    WEBSITE_SITE_NAME WEBSITE_INSTANCE_ID WEBSITE_HOSTNAME WEBSITE_OWNER_NAME WEBSITE_RESOURCE_GROUP WEBSITE_SKU
    WEBSITE_RUN_FROM_PACKAGE WEBSITE_KEYVAULT_REFERENCES WEBSITE_AUTH_ENABLED WEBSITE_PLATFORM_VERSION WEBSITE_POD_NAME
    WEBSITE_CONTENTAZUREFILECONNECTIONSTRING WEBSITE_CONTENTSHARE WEBSITE_SLOT_NAME WEBSITE_TIME_ZONE WEBSITE_PORT
    WEBSITE_HOME_STAMPNAME WEBSITE_STAMP_DEPLOYMENT_ID WEBSITE_DEPLOYMENT_ID WEBSITE_PLACEHOLDER_MODE WEBSITES_PORT
    FUNCTIONS_EXTENSION_VERSION FUNCTIONS_WORKER_RUNTIME FUNCTIONS_CUSTOMHANDLER_PORT FUNCTIONS_CUSTOMHANDLER_WORKER_ID
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT FUNCTIONS_LOGS_MOUNT_PATH FUNCTIONS_HTTPWORKER_PORT FUNCTIONS_APPLICATION_DIRECTORY
    AzureWebJobsStorage AzureWebJobsStorage__accountName AzureWebJobsStorage__credential AzureWebJobsScriptRoot
    AzureWebJobsFeatureFlags AzureWebJobsSecretStorageType AzureWebJobsDisableHomepage AzureFunctionsJobHost__logging__logLevel__default
    APPSETTING_PINGONE__REGION APPSETTING_STATE_URL APPSETTING_SENTINELONE__API_TOKEN APPSETTING_WEBSITE_SITE_NAME
    APPSETTING_LOGS_INGESTION__ENDPOINT APPSETTING_POLL_SCHEDULE APPINSIGHTS_INSTRUMENTATIONKEY
    APPLICATIONINSIGHTS_CONNECTION_STRING APPLICATIONINSIGHTS_AUTHENTICATION_STRING IDENTITY_ENDPOINT IDENTITY_HEADER
    MSI_ENDPOINT MSI_SECRET AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_CLIENT_SECRET AZURE_AUTHORITY_HOST AZURE_FEDERATED_TOKEN_FILE
    AZURE_CONFIG_DIR AZURE_STORAGE_ACCOUNT AZURE_SUBSCRIPTION_ID CONTAINER_NAME CONTAINER_START_CONTEXT_SAS_URI
    CONTAINER_ENCRYPTION_KEY REGION_NAME ORYX_ENV_TYPE SCM_RUN_FROM_PACKAGE SCM_DO_BUILD_DURING_DEPLOYMENT ENABLE_ORYX_BUILD
    MESH_INIT_URI LEGION_SERVICE_HOST HOST_VERSION DOTNET_RUNNING_IN_CONTAINER ASPNETCORE_URLS ASPNETCORE_ENVIRONMENT
    PATH HOME PWD OLDPWD USER LOGNAME SHELL SHLVL TERM TERM_PROGRAM COLORTERM LANG LC_ALL LC_CTYPE LANGUAGE TZ TMPDIR TMP TEMP
    EDITOR VISUAL PAGER LESS LESSOPEN LS_COLORS MAIL HOSTNAME HOSTTYPE OSTYPE MACHTYPE DISPLAY WAYLAND_DISPLAY XAUTHORITY
    XDG_CONFIG_HOME XDG_DATA_DIRS XDG_RUNTIME_DIR XDG_SESSION_ID XDG_STATE_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS
    SSH_AUTH_SOCK SSH_AGENT_PID SSH_CLIENT SSH_CONNECTION SSH_TTY GPG_AGENT_INFO DESKTOP_SESSION INVOCATION_ID JOURNAL_STREAM
    STATE_DIRECTORY STATE_DIR STATE_FILE STATE STATS_URL STATUS_URL STATIC_URL STATE_PATH RUNTIME_DIRECTORY LOGS_DIRECTORY
    CACHE_DIRECTORY CONFIGURATION_DIRECTORY NOTIFY_SOCKET LISTEN_FDS MAINPID SYSTEMD_EXEC_PID MEMORY_PRESSURE_WATCH
    MEMORY_PRESSURE_WRITE MEMORY_LIMIT MEMORY_SIZE LOG_LEVEL LOG_FILE LOG_DIR LOG_PATH LOG_LEVEL_DEFAULT LOG_FORMATTER LOGGING
    LOGGER_FORMAT LOG_COLOR LOG_OUTPUT RUST_LOG RUST_LOG_STYLE RUST_BACKTRACE RUST_LIB_BACKTRACE RUSTFLAGS RUSTUP_HOME CARGO_HOME
    CARGO_PKG_NAME CARGO_MANIFEST_DIR CARGO_TERM_COLOR NO_COLOR CLICOLOR FORCE_COLOR HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY
    http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS NODE_ENV
    NVM_DIR NPM_CONFIG_PREFIX PYTHONPATH VIRTUAL_ENV CONDA_PREFIX JAVA_HOME GOPATH GOROOT DOCKER_HOST DOCKER_CONFIG
    KUBECONFIG KUBERNETES_SERVICE_HOST KUBERNETES_PORT PORT HOST URL CI GITHUB_ACTIONS GITHUB_TOKEN GITHUB_WORKSPACE
    STAGE_URL STAGING_URL STALE_URL SLATE_URL SKATE_URL ESTATE_URL STATES_URL STORE_URL START_URL BLOG_FORMAT SLOG_FORMAT
    JLOG_FORMAT VLOG_FORMAT GLOG_FORMAT LOGO_FORMAT LONG_FORMAT LOG_FMT CATALOG_FORMAT POOL_MAX_BYTES POOL_BUDGET POOL_CONCURRENCY
    PULL_SCHEDULE PULL_CONCURRENCY PULL_DEADLINE POST_SCHEDULE PORT_BUDGET POD_CONCURRENCY PUB_DEADLINE TOLL_BUDGET RUSH_DEADLINE
    SPOOLER_DIR STOOL_MAX_BYTES WEALTH_ENABLED SENTINEL_API_TOKEN SENTINEL__API_TOKEN SENTINEL_STREAMS SENTINEL_RULE_ID
    SENTINELONE_UI SENTINELONE_CA SENTINELONE_AGENT PING_CLIENT_SECRET PING_CLIENT_ID PINGID_CLIENT_SECRET PINGID_CLIENT_ID
    PINGONE_HOME PINGONE_USER PINGONE_SDK ONELOGIN_ENV ONEPASSWORD_TOKEN LOGIN_CLIENT_SECRET ONE_URL
    GITHUB_STATE GITHUB_OUTPUT RUNNER_OS RUNNER_TEMP BUILD_BUILDID BUILD_SOURCESDIRECTORY SYSTEM_ACCESSTOKEN AGENT_ID AGENT_NAME
    TF_BUILD TF_VAR_region GITLAB_CI CI_JOB_TOKEN CI_PROJECT_DIR JENKINS_URL JENKINS_HOME BUILD_URL JOB_URL WORKSPACE
    DESTINATION DESTINATION_URL DESTINATION_ID DESTINATION_PATH DESTINATION_FOLDER DEST_DIR SOURCE_DIR HEALTH HEALTHCHECK_URL
    HEALTH_CHECK_PATH HEALTH_PORT HEALTHCHECK_ENABLED POLLING_INTERVAL POOL_SIZE POOL_MAX_SIZE PUSHGATEWAY_URL PUSHOVER_TOKEN
    PUSHER_APP_ID SPOOLDIR POLLUX LOGIN_URL LOGIN_TOKEN ONE_DRIVE_URL PING_URL PING_INTERVAL SENTINEL_URL SENTINEL_HOST
    REDIS_SENTINEL_URL REDIS_URL DATABASE_URL S1_API_TOKEN PINGONE_TARGET_ENVIRONMENT_ID ONELOGIN_SUBDOMAIN RULE_ID CLIENT_ID
    CLIENT_SECRET API_TOKEN BEARER_TOKEN TENANT_ID REGION TABLES _ __ =C: ProgramFiles(x86) CommonProgramFiles(x86)
    PROCESSOR_ARCHITECTURE SystemRoot USERPROFILE WT_SESSION VSCODE_GIT_IPC_HANDLE ELECTRON_RUN_AS_NODE WSL_DISTRO_NAME";

#[test]
fn names_of_the_platform_the_shell_and_other_tools_look_like_nothing() {
    for others in [&[][..], &["PINGONE__ACME__CLIENT_ID", "ONELOGIN__T__URL"]] {
        let known = known(others);
        for name in OF_OTHERS.split_whitespace() {
            assert!(look_alikes(&known).meant_by(name).is_none(), "{name}");
            let names = look_over(&Environment::from([(name, "x")]), catalog().unwrap());
            assert!(names.look_alikes.is_empty() && names.unknown.is_empty(), "{names:?}");
        }
    }
}
