//! Whether an executable is whole: nothing of it is looked for on the machine it runs on.

/// A program header that names the dynamic loader.
const INTERPRETER: u32 = 3;

/// Refuses what is no 64-bit program for x86-64, and what needs a dynamic loader.
pub fn refuse_dynamic(program: &[u8]) -> Result<(), String> {
    let is_elf = program.starts_with(b"\x7fELF\x02\x01");
    if !is_elf || number::<2>(program, 18) != Some(62) {
        return Err("is no program for 64-bit Linux on x86-64".to_owned());
    }
    let headers = (
        number::<8>(program, 32),
        number::<2>(program, 54),
        number::<2>(program, 56),
    );
    let (Some(start), Some(size), Some(count)) = headers else {
        return Err("is cut off".to_owned());
    };
    for position in 0..count {
        let at = start.saturating_add(position.saturating_mul(size));
        let Some(kind) = usize::try_from(at).ok().and_then(|at| number::<4>(program, at)) else {
            return Err("is cut off".to_owned());
        };
        if kind == u64::from(INTERPRETER) {
            return Err(
                "needs a dynamic loader; the image that Azure runs it on may not have the right one".to_owned(),
            );
        }
    }
    Ok(())
}

/// A little-endian number of that many bytes.
fn number<const BYTES: usize>(program: &[u8], at: usize) -> Option<u64> {
    let bytes = program.get(at..at.checked_add(BYTES)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a program with one program header of that kind.
    fn program(kind: u8) -> Vec<u8> {
        let mut program = vec![0; 64 + 56];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        program[18] = 62;
        program[32] = 64;
        program[54] = 56;
        program[56] = 1;
        program[64] = kind;
        program
    }

    #[test]
    fn a_program_without_a_loader_is_whole() {
        assert_eq!(refuse_dynamic(&program(1)), Ok(()));
    }

    #[test]
    fn a_dynamic_a_foreign_and_a_torn_program_are_refused() {
        assert!(refuse_dynamic(&program(3)).unwrap_err().contains("dynamic loader"));
        let mut foreign = program(1);
        foreign[18] = 183;
        assert!(refuse_dynamic(&foreign).unwrap_err().contains("x86-64"));
        assert!(refuse_dynamic(&program(1)[..60]).unwrap_err().contains("cut off"));
        assert!(refuse_dynamic(b"#!/bin/sh").is_err());
    }
}
