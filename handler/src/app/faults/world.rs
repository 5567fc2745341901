//! Everything outside of the handler: vendors, the ingestion endpoint, and what came of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use simulator::Simulation;
use simulator::logs_ingestion::{Endpoint, Rule};
use simulator::managed_identity::Identity;

use super::deliveries::Deliveries;
use super::fault_kinds::FaultKinds;
use super::marks::POISON;
use super::published::Published;
use super::rng::SeededRng;
use super::vendors::{Vendor, Vendors};
use crate::time::Clock;

pub const INGESTION: &str = "http://127.0.0.1:9005";
pub const HEALTH_TABLE: &str = "SentinelConnectorHealth_CL";

/// The tables of the two rules: one holds at most ten.
const TABLES: [&[&str]; 2] = [
    &[
        "PingOne_AuditActivitiesV2_CL",
        "PingOne_AuditActivities_CL",
        "PingOneEnterprise_AuditEvents_CL",
        "OneLogin_CL",
        "OneLoginEventsV2_CL",
        "OneLoginUsersV2_CL",
        HEALTH_TABLE,
    ],
    &[
        "SentinelOneActivities_CL",
        "SentinelOneAgents_CL",
        "SentinelOneGroups_CL",
        "SentinelOneThreats_CL",
        "SentinelOneAlerts_CL",
        "SentinelOneAlertsV2_CL",
    ],
];

/// How likely a request to each of them meets a fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRates {
    pub vendors: f64,
    pub destination: f64,
    pub state: f64,
}

pub struct World {
    pub rng: SeededRng,
    pub clock: Arc<dyn Clock>,
    pub vendors: Vendors,
    pub identity: Arc<Simulation<Identity>>,
    pub ingestion: Simulation<Endpoint>,
    published: Mutex<Published>,
    deliveries: Mutex<Deliveries>,
    /// A table whose rows are answered 403 at present.
    refused_table: Mutex<Option<&'static str>>,
    fault_rates: Mutex<FaultRates>,
    /// How often something went wrong.
    faults: Mutex<u64>,
    /// Prints what happens, where one schedule is looked at alone.
    is_traced: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("World")
    }
}

/// The rules of the ingestion endpoint: of SentinelOne, and of everything else.
pub fn rules() -> [Rule; 2] {
    [1, 2].map(|number| Rule::numbered(number, TABLES[number as usize - 1]))
}

impl World {
    pub fn new(rng: SeededRng, clock: Arc<dyn Clock>, kinds: FaultKinds, is_traced: bool) -> Self {
        let identity = Arc::new(Simulation::<Identity>::new());
        let ingestion = Simulation::<Endpoint>::new(identity.clone(), rules().to_vec());
        ingestion.refuse_rows_with(POISON);
        Self {
            vendors: Vendors::new(&rng, kinds.wrong_clocks),
            rng,
            clock,
            identity,
            ingestion,
            published: Mutex::default(),
            deliveries: Mutex::default(),
            refused_table: Mutex::default(),
            fault_rates: Mutex::default(),
            faults: Mutex::default(),
            is_traced,
        }
    }

    pub fn fault_rates(&self) -> FaultRates {
        *self.fault_rates.lock()
    }

    pub fn set_fault_rates(&self, rates: FaultRates) {
        *self.fault_rates.lock() = rates;
    }

    /// Refuses every row of the table from now on; `None` ends it.
    pub fn refuse(&self, table: Option<&'static str>) {
        *self.refused_table.lock() = table;
    }

    pub fn refuses(&self, table: &str) -> bool {
        *self.refused_table.lock() == Some(table)
    }

    pub fn trace(&self, what: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{} {}", self.now().format("%H:%M:%S%.3f"), what());
        }
    }

    pub fn count_fault(&self) {
        *self.faults.lock() += 1;
    }

    pub fn faults(&self) -> u64 {
        *self.faults.lock()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The time by the vendor's own clock.
    pub fn vendor_now(&self, vendor: Vendor) -> DateTime<Utc> {
        self.now() + self.vendors.clock_offset(vendor)
    }

    pub fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock()
    }

    pub fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock()
    }
}
