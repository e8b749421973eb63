package node_test

import (
	"encoding/json"
	"maps"
	"slices"
)

// awsCase is a function and the events that it gets.
type awsCase struct {
	name    string
	files   map[string]string
	handler string
	events  []string
	env     []string
	majors  []int // on which it is compared; nil: on all
}

func (c awsCase) on(major int) bool { return c.majors == nil || slices.Contains(c.majors, major) }

var (
	classic = []int{18, 20, 22}
	ownText = []int{20, 24} // what it shows is the text of this node
)

// js is a function of one file, index.js.
func js(name, code string) awsCase { return file(name, "index.js", code) }

func file(name, path, code string) awsCase {
	return awsCase{name: name, handler: "index.handler", files: map[string]string{path: code}}
}

func (c awsCase) called(handler string) awsCase    { c.handler = handler; return c }
func (c awsCase) gets(events ...string) awsCase    { c.events = events; return c }
func (c awsCase) only(majors []int) awsCase        { c.majors = majors; return c }
func (c awsCase) inJSON() awsCase                  { c.env = []string{"AWS_LAMBDA_LOG_FORMAT=JSON"}; return c }
func (c awsCase) beside(path, text string) awsCase { c.files[path] = text; return c }
func (c awsCase) level(level string) awsCase {
	c.env = append(c.env, "AWS_LAMBDA_LOG_LEVEL="+level)
	return c
}
func each(code string, of map[string]string) (string, []string) {
	names := slices.Sorted(maps.Keys(of))
	events := make([]string, len(names))
	table := "const of = {\n"
	for i, name := range names {
		text, _ := json.Marshal(name)
		events[i] = string(text)
		table += string(text) + ": () => (" + of[name] + "),\n"
	}
	return table + "};\n" + code, events
}

// many is a case with an event for each expression of a table, which its code finds in of[event]().
func many(name, code string, of map[string]string) awsCase {
	code, events := each(code, of)
	return js(name, code).gets(events...)
}

const (
	own  = "exports.handler = async () => __filename.slice(process.env.LAMBDA_TASK_ROOT.length);"
	ownM = "export const handler = async () => import.meta.url.slice(('file://' + process.env.LAMBDA_TASK_ROOT).length);"
)

// results are values that handlers give.
var results = map[string]string{
	"undefined": "undefined", "null": "null", "number": "5", "text": `"é\u2028"`, "date": "new Date(0)", "NaN": "NaN", "bigint": "1n", "bigint inside": "{a:1n}",
	"buffer": "Buffer.from('hi')", "map": "new Map([[1,2]])", "error": "new Error('result')", "toJSON": "({toJSON(){return 'tj'}})",
	"toJSON throws": "({toJSON(){throw new Error('tj')}})", "proxy throws": "new Proxy({},{ownKeys(){throw new Error('p')}})", "half a surrogate": `"\ud800"`,
	"infinity": "[Infinity,-0]", "promise": "Promise.resolve(3)", "thenable": "({then(r){r(7)}})", "holes": "[undefined,()=>1,,2]", "Uint8Array": "new Uint8Array(2)",
	"boxed": "new Boolean(false)", "generator": "(function*(){})()", "circle": "(()=>{const a={};a.a=a;return a})()",
}

// thrown are values that handlers throw.
var thrown = map[string]string{
	"error": "new Error('x')", "text": "'str'", "empty text": "''", "number": "5", "zero": "0", "NaN": "NaN", "false": "false", "null": "null", "undefined": "undefined",
	"object": "({a:1})", "bigint": "1n", "function": "function foo(){}", "array": "[1,2]", "date": "new Date(0)", "regexp": "/a/", "promise": "Promise.resolve(1)",
	"own name": "Object.assign(new Error('m'),{name:'Custom'})", "class": "new (class Foo extends Error{})('f')", "class without name": "new (class extends Error{})('f')",
	"class that names itself": "new (class Foo extends Error{constructor(m){super(m);this.name=this.constructor.name}})('f')",
	"aggregate":               "new AggregateError([new Error('a'),new TypeError('b')],'agg')", "cause": "new Error('o',{cause:new TypeError('in')})", "cause, text": "new Error('o',{cause:'s'})",
	"DOMException": "new DOMException('d','AbortError')", "no stack": "(()=>{const e=new Error('ns');delete e.stack;return e})()",
	"stack null": "Object.assign(new Error('sn'),{stack:null})", "stack object": "Object.assign(new Error('so'),{stack:{a:1}})", "stack empty": "Object.assign(new Error('se'),{stack:''})",
	"no message": "new Error()", "message object": "Object.assign(new Error('x'),{message:{a:1}})", "message number": "Object.assign(new Error('x'),{message:5})",
	"name empty": "Object.assign(new Error('x'),{name:''})", "name symbol": "Object.assign(new Error('x'),{name:Symbol('n')})", "lines": `new Error('a\nb\r\nc\td')`,
	"unicode": `new Error('é\u{1f600}\u2028')`, "DEL": `new Error('a\x7fb')`, "control characters": `new Error('a\x00\x1bb')`,
	"more members": "Object.assign(new Error('x'),{code:'E1',a:1,nested:new Error('n'),fn(){},sym:Symbol('s'),date:new Date(0)})",
	"circle":       "(()=>{const e=new Error('x');e.self=e;return e})()", "bigint member": "Object.assign(new Error('x'),{b:1n})",
	"members of ours": "Object.assign(new Error('x'),{errorType:'T',errorMessage:'M',trace:1,stackTrace:2})", "duck": "({name:'D',message:'m',stack:'D: m'})",
	"bad duck": "({name:'n',message:'m',stack:5})", "toJSON": "Object.assign(new Error('x'),{toJSON(){return {j:1}}})", "other realm": `require('vm').runInNewContext("new Error('vm')")`,
	"frozen": "Object.freeze(new Error('fz'))", "system error": "(()=>{try{require('fs').readFileSync('/nope')}catch(e){return e}})()", "proxy": "new Proxy(new Error('pe'),{})",
	"prototype": "Object.create(Error.prototype)", "getter of name": getter("name"), "getter of message": getter("message"), "getter of stack": getter("stack"),
	"getter of code": getter("code"), "getter of its own": "Object.defineProperty(new Error('x'),'foo',{enumerable:true,get(){throw new Error('getter')}})",
	"proxy that throws":  "new Proxy(new Error('x'),{get(t,k){if(k==='stack')throw new Error('trap');return t[k]}})",
	"object that throws": "({toString(){throw new Error('ts')}})",
}

func getter(name string) string {
	return "Object.defineProperty(new Error('x'),'" + name + "',{get(){throw new Error('getter')}})"
}

// fatal are values that end the process when somebody throws them where nobody catches.
var fatal = map[string]string{
	"error": "new TypeError('x')", "text": "'str'", "null": "null", "undefined": "undefined", "object": "({a:1})", "no prototype": "Object.create(null)",
	"symbol": "Symbol('q')", "getter of message": getter("message"), "own name": "Object.assign(new Error('m'),{name:'Custom',code:'E1'})",
	"object without text": "({toString(){return {}}})", "cause": "new Error('o',{cause:new TypeError('in')})",
}

var awsCases = slices.Concat(handlerForms(), loads(), throws(), logLines())

func throws() []awsCase {
	const throwIt, rejectIt = "const value = of[event](); throw value;", "return Promise.reject(of[event]());"
	cases := []awsCase{
		many("results, async", "exports.handler = async (event) => of[event]();", results),
		many("results", "exports.handler = (event) => of[event]();", results),
		many("thrown, async", "exports.handler = async (event) => {"+throwIt+"}", thrown).only(ownText),
		many("thrown", "exports.handler = (event) => {"+throwIt+"}", thrown),
		many("rejected", "exports.handler = (event) => {"+rejectIt+"}", thrown).only(ownText),
		many("thrown, in JSON", "exports.handler = async (event) => {"+throwIt+"}", thrown).inJSON().only(ownText),
		many("callback", "exports.handler = (event, context, callback) => { callback(of[event]()); };", thrown).only([]int{20}),
		many("fail", "exports.handler = (event, context) => { context.fail(of[event]()); };", thrown).only([]int{20}),
		many("callback, results", "exports.handler = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; callback(null, of[event]()); };", results).only(classic),
		js("thrown symbol", "exports.handler = () => { throw Symbol('x'); }"),
		js("thrown symbol, async", "exports.handler = async () => { throw Symbol('x'); }"),
		js("thrown without a prototype", "exports.handler = () => { throw Object.create(null); }"),
		js("thrown without a prototype, async", "exports.handler = async () => { throw Object.create(null); }"),
		js("thrown proxy that was revoked", "exports.handler = async () => { const r = Proxy.revocable({}, {}); r.revoke(); throw r.proxy; }"),
	}
	for _, name := range slices.Sorted(maps.Keys(fatal)) {
		value := fatal[name]
		wait := " await new Promise((resolve) => setTimeout(resolve, 100000)); };"
		cases = append(cases,
			js("thrown while loaded: "+name, "throw "+value+";"),
			js("thrown in the background: "+name, "exports.handler = async () => { setTimeout(() => { throw "+value+"; }, 1);"+wait),
			js("rejected in the background: "+name, "exports.handler = async () => { setTimeout(() => Promise.reject("+value+"), 1);"+wait))
	}
	return cases
}

func handlerForms() []awsCase {
	return []awsCase{
		file("in folders", "a/b/index.js", own).called("a/b/index.handler"),
		js("with ./", own).called("./index.handler"),
		js("with a slash", own).called("/index.handler"),
		file("folder with a dot", "a.b/index.js", own).called("a.b/index.handler"),
		file("file with a dot", "a.b.js", own).called("a.b.handler"),
		file("mjs", "index.mjs", ownM),
		file("cjs", "index.cjs", own),
		js("js and mjs", own).beside("index.mjs", ownM),
		file("mjs and cjs", "index.mjs", ownM).beside("index.cjs", own),
		js("type module", ownM).beside("package.json", `{"type":"module"}`),
		file("type module above", "a/index.js", ownM).beside("package.json", `{"type":"module"}`).called("a/index.handler"),
		file("nearer package.json", "a/index.js", own).beside("package.json", `{"type":"module"}`).beside("a/package.json", "{}").called("a/index.handler"),
		file("broken package.json, js", "a/index.js", own).beside("a/package.json", "{").called("a/index.handler").only(ownText),
		file("broken package.json, mjs", "a/index.mjs", ownM).beside("a/package.json", "{").called("a/index.handler"),
		file("broken package.json, cjs", "a/index.cjs", own).beside("a/package.json", "{").called("a/index.handler"),
		file("package.json with null", "a/index.js", own).beside("a/package.json", "null").called("a/index.handler").only([]int{20}),
		file("a folder", "app/index.js", own).called("app.handler"),
		file("a package", "node_modules/pk/index.js", own).called("pk.handler"),
		file("a file of a package", "node_modules/pk/index.js", own).called("node_modules/pk/index.handler"),
		js("builtin", "").called("fs.readFile").only(classic),
		js("no dot", own).called("index"),
		js("empty property", own).called("index."),
		js("two dots", own).called("index..handler"),
		js("not there", own).called("nope.handler"),
		js("no export", own).called("index.none"),
		js("deep", "exports.a = { b: { c: async () => 'deep' } };").called("index.a.b.c"),
		js("property of a function", "const f = async () => 1; f.inner = async () => 'in'; exports.handler = f;").called("index.handler.inner"),
		js("text", "exports.handler = 'x';"),
		js("null", "exports.handler = null;"),
		js("module.exports is a function", "module.exports = async () => 'n'; module.exports.handler = async () => 'h';"),
		js("module.exports is null", "module.exports = null;"),
		file("default", "index.mjs", "export default async () => 'd';").called("index.default"),
		file("in default", "index.mjs", "export default { handler: async () => 'd' };"),
		js("instance", "class A { async handler() { return 'inst'; } } module.exports = new A();"),
		js("static", "class A { static async handler() { return 'st'; } } module.exports = A;"),
		js("getter throws", "Object.defineProperty(exports, 'handler', { get() { throw new Error('g'); } });"),
		file("awaits", "index.mjs", "await new Promise((r) => setTimeout(r, 5));"+ownM),
		file("awaits for ever", "index.mjs", "await new Promise(() => {});"+ownM).only(ownText),
		file("space and umlaut", "ä b.js", own).called("ä b.handler"),
	}
}

func loads() []awsCase {
	return []awsCase{
		js("requires what is not there", "require('nope');"),
		js("requires what is not there, deeper", "require('./lib/a');").beside("lib/a.js", "require('x/y');"),
		file("imports what is not there", "index.mjs", "import 'nope';").only(ownText),
		file("imports a file that is not there", "index.mjs", "import './nope.mjs';").only(ownText),
		file("imports a folder", "index.mjs", "import './folder';").beside("folder/index.js", "").only(ownText),
		js("imports a folder later", "exports.handler = async () => import('./folder');").beside("folder/index.js", "").only(ownText),
		file("imports a name that is not there", "index.mjs", "import { nope } from 'fs';").only(ownText),
		js("syntax", "exports.handler = async () => {").only(ownText),
		js("syntax, deeper", "require('./b');").beside("b.js", "let x = ;").only(ownText),
		js("throws a SyntaxError", "throw new SyntaxError('mine');"),
		js("throws as require does", "throw Object.assign(new Error('x'), { code: 'MODULE_NOT_FOUND' });"),
		js("rejects while loaded", "Promise.reject(new Error('rej')); exports.handler = async () => 1;"),
		js("exits 0", "process.exit(0);"),
		js("exits 7", "process.exit(7);"),
		js("logs while loaded", "console.log('init'); console.error(new Error('e').message); exports.handler = async () => { console.log('now'); };"),
	}
}

// logLines write to the log; the order of lines counts.
func logLines() []awsCase {
	const methods = `exports.handler = async (event) => {
  process.stdout.write('before\n');
  for (const method of ['trace', 'debug', 'info', 'log', 'warn', 'error']) console[method](event, '%s is %d', method, 5, { a: { b: { c: { d: 1 } } } }, [undefined]);
  console.log('%s %j %o %%', 'x', { a: 1 }, 5);
  console.log('two\nlines\r\nand one');
  console.log();
  console.log(Symbol('s'), 1n, null, undefined, new Map([[1, 2]]));
  console.error(Object.assign(new TypeError('own'), { code: 'E', stack: 'TypeError: own' }));
  console.error('with', Object.assign(new RangeError('other'), { stack: 'RangeError: other' }));
  console.log({ message: 'm', level: 'l', timestamp: 't', circle: undefined });
  const a = {}; a.a = a; console.log(a);
  process.stderr.write('after\n');
};`
	return []awsCase{
		js("log", methods).gets(`"x"`, `{"a":1}`),
		js("log in JSON", methods).gets(`"x"`, `{"a":1}`).inJSON(),
		js("log in JSON, warnings", methods).inJSON().level("WARN"),
		js("not there, in JSON", "").called("nope.handler").inJSON(),
		js("no function, in JSON", "exports.handler = 5;").inJSON(),
		js("background, in JSON", "exports.handler = async () => { setTimeout(() => Promise.reject(new Error('x')), 1); await new Promise((r) => setTimeout(r, 100000)); };").inJSON(),
		js("second answer", "exports.handler = (event, context, callback) => { callback(null, 1); callback(null, 2); context.succeed(3); };").only(classic),
	}
}
