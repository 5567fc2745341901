//! A table, compiled, and the projection of an event to one of its rows.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::additional_fields::leftovers;
use super::column::{Column, TIME_GENERATED};
use super::convert::{Converted, convert, convert_by_nearness, instant, write_instant};
use super::definition::{ColumnType, Definition, Parse, Take};
use super::layout::{Layout, TableOptions};
use super::{FIELD_LIMIT, ROW_LIMIT};
use crate::json::{Kind, kind, unquote};

/// What columns call the name of the source's instance.
const INSTANCE: &str = "$instance";

/// What was not carried over as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowNotes {
    /// Values left out because they do not fit their column's type.
    pub unfit: u64,
    /// Values shortened to the field limit, or to make the row fit.
    pub cut: u64,
}

/// What became of an event as a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projected {
    /// What was not carried over as it came.
    pub notes: RowNotes,
    /// The row's `TimeGenerated`.
    pub time: DateTime<Utc>,
    /// What the event gave to the row.
    pub reading: Reading,
    /// Keys that the table's definition does not know, as dotted paths.
    pub unknown_keys: Vec<String>,
}

/// What a table finds in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// A value for a column other than `TimeGenerated`. What the source gives to every event does not count.
    pub fills_a_column: bool,
    /// A value for `TimeGenerated`.
    pub has_time: bool,
    /// A value that says more than which event it is and when it was: a wrapper may have a name and a time as well.
    pub fills_content: bool,
}

impl Reading {
    fn note(&mut self, column: &Column) {
        if column.name == TIME_GENERATED {
            self.has_time = true;
        } else if !column.is_given {
            self.fills_a_column = true;
        }
        self.fills_content |= column.is_content;
    }
}

impl std::ops::BitOrAssign for Reading {
    fn bitor_assign(&mut self, other: Self) {
        self.fills_a_column |= other.fills_a_column;
        self.has_time |= other.has_time;
        self.fills_content |= other.fills_content;
    }
}

/// What is known of an event besides its text.
#[derive(Clone, Copy, Debug)]
pub struct RowContext<'a> {
    /// When it came.
    pub arrival: DateTime<Utc>,
    /// Values that belong to every event of its stream, by the names (`$...`) under which columns ask for them.
    pub constant_fields: &'a [(&'static str, String)],
}

/// A destination table, as one instance of a source fills it.
#[derive(Clone, Debug)]
pub struct Table {
    name: Arc<str>,
    longest_span: Option<TimeDelta>,
    layout: Arc<Layout>,
    /// The instance's name.
    instance: Arc<str>,
}

impl std::ops::AddAssign for RowNotes {
    fn add_assign(&mut self, other: Self) {
        self.unfit += other.unfit;
        self.cut += other.cut;
    }
}

impl Table {
    /// Compiles the text of a file of `infra/tables`.
    pub fn compile(definition: &str, options: TableOptions) -> Result<Self, serde_json::Error> {
        let definition = Definition::parse(definition)?;
        Ok(Self {
            name: definition.table.as_str().into(),
            longest_span: definition
                .longest_span_minutes
                .map(|minutes| TimeDelta::minutes(minutes.into())),
            layout: Layout::new(definition, options).into(),
            instance: "default".into(),
        })
    }

    /// The same table, with another instance's name in its rows.
    pub fn of_instance(&self, instance: &str) -> Self {
        Self {
            instance: instance.into(),
            ..self.clone()
        }
    }

    /// The table's name, `_CL` included.
    pub fn name(&self) -> Arc<str> {
        self.name.clone()
    }

    /// True if what no column takes of an event is delivered in a column of its own.
    pub fn has_additional_fields(&self) -> bool {
        self.layout.columns.last().is_some_and(|column| column.is_rest)
    }

    /// True if columns are named as the HTTP Data Collector API named them, with their type behind: an older connector
    /// may have made the table.
    pub fn has_classic_names(&self) -> bool {
        let mut columns = self.layout.columns.iter();
        columns.any(|column| column.name.ends_with("_s"))
    }

    /// The span of `TimeGenerated` that one call may hold, where the table's plan limits it.
    pub fn longest_span(&self) -> Option<TimeDelta> {
        self.longest_span
    }

    /// Appends the row of `event` (a valid JSON object) to `out`: one object with the columns that have a value, in
    /// the table's order, at most [`ROW_LIMIT`] bytes. An event without a readable time gets `arrival`.
    pub fn project(&self, event: &str, context: RowContext<'_>, out: &mut Vec<u8>) -> Projected {
        let quoted = self.constant_values(context.constant_fields);
        let mut values = self.values_of(event, context.arrival);
        for (slot, value) in &quoted {
            values.found[*slot] = Some(value);
        }
        let start = out.len();
        loop {
            let projected = self.write_row(&values, out);
            if out.len() - start <= ROW_LIMIT || values.field_limit < 64 {
                return projected;
            }
            out.truncate(start);
            values.field_limit /= 2;
        }
    }

    /// What an event would give to a row, without one being made.
    pub fn read(&self, event: &str, arrival: DateTime<Utc>) -> Reading {
        let values = self.values_of(event, arrival);
        let mut reading = Reading::default();
        let mut scratch = Vec::new();
        for column in &self.layout.columns {
            if reading.fills_content && (reading.has_time || column.name != TIME_GENERATED) {
                continue;
            }
            if write_value(column, &values, &mut scratch, &mut RowNotes::default()).is_some() {
                reading.note(column);
            }
            scratch.clear();
        }
        reading
    }

    fn values_of<'a>(&self, event: &'a str, arrival: DateTime<Utc>) -> EventValues<'a> {
        let mut found = vec![None; self.layout.slots];
        self.layout.paths.find(event, &mut found);
        EventValues {
            event,
            found,
            arrival,
            field_limit: FIELD_LIMIT,
        }
    }

    fn constant_values(&self, constant_fields: &[(&'static str, String)]) -> Vec<(usize, String)> {
        let values = self.layout.constant_fields.iter().filter_map(|(name, slot)| {
            let value = match name.as_str() {
                INSTANCE => &*self.instance,
                name => {
                    let (_, value) = constant_fields.iter().find(|(known, _)| *known == name)?;
                    value
                }
            };
            Some((*slot, serde_json::Value::from(value).to_string()))
        });
        values.collect()
    }

    fn write_row(&self, values: &EventValues<'_>, out: &mut Vec<u8>) -> Projected {
        let mut projected = Projected {
            notes: RowNotes::default(),
            time: values.arrival,
            reading: Reading::default(),
            unknown_keys: Vec::new(),
        };
        let mut taken = vec![false; self.layout.slots];
        out.push(b'{');
        let mut separator = false;
        for column in &self.layout.columns {
            let start = out.len();
            if separator {
                out.push(b',');
            }
            out.extend_from_slice(&column.prefix);
            let value_start = out.len();
            let is_written = if column.is_rest {
                self.write_rest(values, &taken, &mut projected, out)
            } else if let Some(slot) = write_value(column, values, out, &mut projected.notes) {
                projected.reading.note(column);
                taken[slot] |= says_all_of(values.found[slot], column.column_type, &out[value_start..]);
                true
            } else {
                false
            };
            if column.name == TIME_GENERATED && is_written {
                let written = str::from_utf8(&out[value_start..]).ok();
                projected.time = written.and_then(instant).unwrap_or(values.arrival);
            } else if column.name == TIME_GENERATED {
                write_instant(values.arrival, out);
            } else if !is_written {
                out.truncate(start);
                continue;
            }
            separator = true;
        }
        out.push(b'}');
        if self.layout.leaves_out_the_rest {
            projected.unknown_keys = leftovers(values.event, &self.layout.paths, &taken).unknown_keys;
        }
        projected
    }

    /// True where something is left.
    fn write_rest(
        &self,
        values: &EventValues<'_>,
        taken: &[bool],
        projected: &mut Projected,
        out: &mut Vec<u8>,
    ) -> bool {
        let left = leftovers(values.event, &self.layout.paths, taken);
        projected.unknown_keys = left.unknown_keys;
        let Ok(json) = str::from_utf8(&left.json) else {
            return false;
        };
        if json.is_empty() {
            return false;
        }
        let converted = convert(json, ColumnType::Dynamic, values.field_limit, out);
        projected.notes.cut += u64::from(converted == Converted::Cut);
        true
    }
}

/// False where the column's text is not the vendor's: a time in another form, `007` for 7.
fn says_all_of(value: Option<&str>, column_type: ColumnType, written: &[u8]) -> bool {
    if matches!(column_type, ColumnType::String | ColumnType::Dynamic) {
        return true;
    }
    let (Some(value), Ok(written)) = (value, str::from_utf8(written)) else {
        return false;
    };
    unquote(value) == unquote(written)
}

/// What an event holds for the columns of a table.
struct EventValues<'a> {
    /// Its text.
    event: &'a str,
    /// By slot.
    found: Vec<Option<&'a str>>,
    arrival: DateTime<Utc>,
    /// Longer values are cut to so many bytes.
    field_limit: usize,
}

/// The slot of the value that was written; `None` when none of the column's places holds a value that fits.
fn write_value(column: &Column, values: &EventValues<'_>, out: &mut Vec<u8>, notes: &mut RowNotes) -> Option<usize> {
    let candidates = column
        .slots
        .iter()
        .filter_map(|slot| Some((*slot, values.found[*slot]?)));
    let mut candidates = candidates.filter(|(_, value)| kind(value) != Kind::Null).peekable();
    let has_value = candidates.peek().is_some();
    let mut write = |(slot, value)| Some((slot, write_one(column, value, values, out)?));
    let converted = match column.take {
        Take::First => candidates.find_map(write),
        Take::Latest => latest(candidates).and_then(&mut write),
    };
    match converted {
        Some((_, is_cut)) => notes.cut += u64::from(is_cut),
        None => notes.unfit += u64::from(has_value),
    }
    converted.map(|(slot, _)| slot)
}

/// `None` when the value does not fit, else whether it was cut.
fn write_one(column: &Column, value: &str, values: &EventValues<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let converted = match column.parse {
        Parse::Plain => convert(
            &column.aliases.add_to(value),
            column.column_type,
            values.field_limit,
            out,
        ),
        Parse::DayMonthByNearness => convert_by_nearness(value, values.arrival, out),
    };
    match converted {
        Converted::Unfit => None,
        Converted::Whole => Some(false),
        Converted::Cut => Some(true),
    }
}

/// Of the values that read as times, the latest with its slot; the first of equals.
fn latest<'a>(values: impl Iterator<Item = (usize, &'a str)>) -> Option<(usize, &'a str)> {
    let mut latest = None;
    for (slot, value) in values {
        let Some(time) = instant(value) else { continue };
        if latest.is_none_or(|(so_far, _)| time > so_far) {
            latest = Some((time, (slot, value)));
        }
    }
    latest.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::table;
    use serde_json::{Value, json};

    fn arrival() -> RowContext<'static> {
        RowContext {
            arrival: "2026-11-20T12:00:00.250Z".parse().unwrap(),
            constant_fields: &[],
        }
    }

    fn project(name: &str, event: &str) -> (Value, RowNotes) {
        let mut out = Vec::new();
        let projected = table(name).unwrap().project(event, arrival(), &mut out);
        let mut row: Value = serde_json::from_slice(&out).unwrap();
        let written: DateTime<Utc> = row["TimeGenerated"].as_str().unwrap().parse().unwrap();
        assert_eq!(projected.time, written);
        row.as_object_mut().unwrap().remove("ConnectorInstance");
        (row, projected.notes)
    }

    #[test]
    fn an_activity_becomes_a_row_with_nested_and_dynamic_values() {
        let event = r#"{"_links":{}, "id":"a1","recordedAt":"2026-11-20T11:59:00.123Z","createdAt":"2026-11-20T11:59:00.140Z",
            "actors":{"client":{"id":"adminui","type":"CLIENT"},"user":{"id":"u1","environment":{"id":"e1"},"population":{}}},
            "source":null,"action":{"type":"GROUP.CREATED"},"resources":[ {"type":"FIDO Policy", "n": 1.0} ],"tags":["x"]}"#;
        let (row, notes) = project("PingOne_AuditActivitiesV2_CL", event);
        let expected = json!({"TimeGenerated":"2026-11-20T11:59:00.140Z","Id":"a1","RecordedAt":"2026-11-20T11:59:00.123Z",
            "CreatedAt":"2026-11-20T11:59:00.140Z","ClientId":"adminui","ClientType":"CLIENT","UserId":"u1","UserEnvironmentId":"e1",
            "ActionType":"GROUP.CREATED","Resources":[{"type":"FIDO Policy","n":1.0}],"Tags":["x"]});
        assert_eq!(row, expected);
        assert_eq!(notes, RowNotes::default());
    }

    #[test]
    fn a_onelogin_event_keeps_its_text_time_and_gets_numbers_for_numbers() {
        let event = r#"{"event_timestamp":"2026-11-20 10:15:30 UTC","event_type_id":5,"user_id":"77","role_id":"x",
            "create":{"_id":"c-1"},"notes":"a\nb","risk_reasons":["new ip"],"browser_fingerprint":12}"#;
        let (row, notes) = project("OneLogin_CL", event);
        let expected = json!({"TimeGenerated":"2026-11-20T10:15:30Z","event_timestamp_s":"2026-11-20 10:15:30 UTC","event_type_id_d":5,
            "user_id_d":77,"create__id_g":"c-1","notes_s":"a\nb","risk_reasons_s":"[\"new ip\"]","browser_fingerprint_s":"12"});
        assert_eq!(row, expected);
        assert_eq!(notes, RowNotes { unfit: 1, cut: 0 });
    }

    #[test]
    fn the_first_readable_time_wins_and_without_one_the_arrival_counts() {
        let (row, _) = project(
            "PingOne_AuditActivitiesV2_CL",
            r#"{"createdAt":"?","recordedAt":"2026-11-20T11:00:00Z"}"#,
        );
        assert_eq!(row["TimeGenerated"], "2026-11-20T11:00:00Z");
        let (row, _) = project("PingOne_AuditActivitiesV2_CL", r#"{"createdAt":17,"id":null}"#);
        assert_eq!(row, json!({"TimeGenerated":"2026-11-20T12:00:00.250Z"}));
    }

    #[test]
    fn what_an_event_gives_to_a_row_is_known_with_and_without_the_row() {
        let v2 = "PingOne_AuditActivitiesV2_CL";
        let (s1, enterprise) = ("SentinelOneActivities_CL", "PingOneEnterprise_AuditEvents_CL");
        for (name, event, fills_a_column, has_time, fills_content) in [
            (v2, "{}", false, false, false),
            (v2, r#"{"event":{"id":"a"},"host":"h","time":1}"#, false, false, false),
            (v2, r#"{"id":null,"createdAt":"yesterday"}"#, false, false, false),
            (v2, r#"{"id":"a"}"#, true, false, false),
            (v2, r#"{"createdAt":"2026-11-20T10:00:00Z"}"#, true, true, false),
            (v2, r#"{"action":{"type":"x"}}"#, true, false, true),
            (s1, r#"{"id":"a","data":{"id":"b"}}"#, true, false, false),
            (s1, r#"{"id":"a","activityType":5}"#, true, false, true),
            ("OneLogin_CL", r#"{"event_type_id":5}"#, true, false, true),
            ("OneLogin_CL", r#"{"event":{"event_type_id":5}}"#, false, false, false),
            (enterprise, "{}", false, false, false),
            (
                enterprise,
                r#"{"id":"a","recorded":"2026-11-20T10:00:00Z"}"#,
                true,
                true,
                false,
            ),
        ] {
            let expected = Reading {
                fills_a_column,
                has_time,
                fills_content,
            };
            let table = table(name).unwrap();
            let constant_fields = [("$account_id", "acme".to_owned())];
            let context = RowContext {
                constant_fields: &constant_fields,
                ..arrival()
            };
            assert_eq!(
                table.project(event, context, &mut Vec::new()).reading,
                expected,
                "{event}"
            );
            assert_eq!(table.read(event, context.arrival), expected, "{event}");
        }
    }

    #[test]
    fn a_field_of_exactly_the_limit_stays_and_one_byte_more_is_cut() {
        for (length, cut) in [(FIELD_LIMIT, 0), (FIELD_LIMIT + 1, 1)] {
            let event = json!({"id": "é".repeat(length / 2) + &"x".repeat(length % 2)}).to_string();
            let (row, notes) = project("PingOne_AuditActivitiesV2_CL", &event);
            assert_eq!(notes.cut, cut);
            assert!(row["Id"].as_str().unwrap().len() <= FIELD_LIMIT);
        }
    }

    #[test]
    fn a_row_of_many_long_fields_is_cut_until_it_fits() {
        let definition =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/tables/OneLogin_CL.json"));
        let definition: Value = serde_json::from_str(&definition.unwrap()).unwrap();
        let keys = definition["columns"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|column| column["type"] == "string");
        let event: serde_json::Map<_, _> = keys
            .map(|column| {
                (
                    column["from"][0].as_str().unwrap().to_owned(),
                    json!("\u{1}".repeat(60_000)),
                )
            })
            .collect();
        let mut out = Vec::new();
        let notes = table("OneLogin_CL")
            .unwrap()
            .project(&Value::Object(event).to_string(), arrival(), &mut out)
            .notes;
        assert!(out.len() <= ROW_LIMIT && notes.cut > 10);
        serde_json::from_slice::<Value>(&out).unwrap();
    }
}
