//! Imports that may suspend the guest, for little more than a plain one costs when they need not.
//!
//! The engine boxes a future for every call of an import that may suspend, also if it is ready at once, as nearly all
//! calls of `sock_recv` and `sock_send` are. So these have two definitions: a plain one, which does what can be done at
//! once and otherwise returns [`OTHERWISE`], having done nothing; and one that may suspend. What the guest imports is
//! a function of a module that is made here, which calls the one, and then the other if it must.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    TypeSection, ValType,
};
use wasmtime::{Extern, Linker, Module, Store};

use crate::p1::abi::{self, MODULE, OTHERWISE};
use crate::p1::state::State;

/// An instance of the module, whose exports have the names of [`abi::quick`].
pub(crate) async fn instantiate(
    module: &Module,
    host: &Linker<State>,
    store: &mut Store<State>,
) -> wasmtime::Result<wasmtime::Instance> {
    let imports = module.imports().map(|import| host.get(&mut *store, MODULE, import.name()));
    let imports: Vec<Extern> = imports.collect::<wasmtime::Result<_>>()?;
    wasmtime::Instance::new_async(store, module, &imports).await
}

/// The module, for who compiles it.
pub(crate) fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    let quick: Vec<_> = abi::quick().collect();
    for (index, (key, plain, params)) in (0_u32..).zip(&quick) {
        let (ty, first) = (index, 2 * index);
        types.ty().function(vec![ValType::I32; *params], [ValType::I32]);
        imports.import(MODULE, plain, EntityType::Function(ty));
        imports.import(MODULE, key, EntityType::Function(ty));
        functions.function(ty);
        exports.export(key, ExportKind::Func, 2 * quick.len() as u32 + index);
        let result = *params as u32;
        let mut body = Function::new([(1, ValType::I32)]);
        let mut code_of = body.instructions();
        let pass = |code: &mut wasm_encoder::InstructionSink<'_>| {
            (0..result).for_each(|param| {
                code.local_get(param);
            });
        };
        pass(&mut code_of);
        code_of.call(first).local_tee(result).i32_const(OTHERWISE).i32_eq();
        code_of.if_(wasm_encoder::BlockType::Empty);
        pass(&mut code_of);
        code_of.call(first + 1).local_set(result).end().local_get(result).end();
        code.function(&body);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}
