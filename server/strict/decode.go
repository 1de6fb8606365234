package strict

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Check reads b as one JSON value and keeps nothing.
func Check(b []byte, l Limits) error {
	_, err := parse(b, l)
	return err
}

// Decode reads one JSON object into the struct that into points at. The struct's
// fields are the contract: of type string, bool, integer, float64, [time.Time]
// (RFC 3339, 1990 to 2100, its zone kept), struct, pointer or slice of these, named
// by their json tags. Every other key is refused, and so is null. Fields that are
// absent keep what they had.
func Decode(b []byte, into any, l Limits) error {
	n, err := parse(b, l)
	if err != nil {
		return err
	}
	if n.kind != isObject {
		return &Error{Reason: "not a JSON object"}
	}
	return fill(reflect.ValueOf(into).Elem(), &n, "")
}

var instant = reflect.TypeFor[time.Time]()

// fill puts n into v; path names it in errors.
func fill(v reflect.Value, n *node, path string) error {
	if n.kind == isNull {
		return &Error{Field: path, Reason: "null: leave the field out"}
	}
	t := v.Type()
	switch k := t.Kind(); {
	case t == instant:
		at, err := time.Parse(time.RFC3339, n.text)
		if n.kind != isString || err != nil || at.UTC().Year() < 1990 || at.UTC().Year() > 2100 {
			return &Error{Field: path, Reason: "not a date-time from 1990 to 2100: write it as 2024-05-31T09:30:00Z"}
		}
		v.Set(reflect.ValueOf(at))
	case k == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := fill(p.Elem(), n, path); err != nil {
			return err
		}
		v.Set(p)
	case k == reflect.Struct:
		if n.kind != isObject {
			return &Error{Field: path, Reason: "not an object"}
		}
		return fields(v, n, path)
	case k == reflect.Slice:
		if n.kind != isArray {
			return &Error{Field: path, Reason: "not an array"}
		}
		s := reflect.MakeSlice(t, len(n.items), len(n.items))
		for i := range n.items {
			if err := fill(s.Index(i), &n.items[i], path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
		v.Set(s)
	default:
		return scalar(v, n, path)
	}
	return nil
}

func scalar(v reflect.Value, n *node, path string) error {
	switch v.Kind() {
	case reflect.String:
		if n.kind != isString {
			return &Error{Field: path, Reason: "not a string: put it in quotes"}
		}
		v.SetString(n.text)
	case reflect.Bool:
		if n.kind != isBool {
			return &Error{Field: path, Reason: "neither true nor false"}
		}
		v.SetBool(n.text == "true")
	case reflect.Int, reflect.Int64, reflect.Int32:
		i, err := strconv.ParseInt(n.text, 10, v.Type().Bits())
		if n.kind != isNumber || err != nil {
			return &Error{Field: path, Reason: "not a whole number"}
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.text, 64)
		if n.kind != isNumber || err != nil {
			return &Error{Field: path, Reason: "not a number"}
		}
		v.SetFloat(f)
	default:
		panic("strict: a contract with a field of type " + v.Type().String())
	}
	return nil
}

// fields puts the values of an object into the fields of a struct.
func fields(v reflect.Value, n *node, path string) error {
	known := named(v.Type())
	for i, key := range n.keys {
		at, ok := known[key]
		if !ok {
			return &Error{Field: join(path, shown(key)), Reason: fmt.Sprintf("a field that the contract does not have; it has %s", list(v.Type()))}
		}
		if err := fill(v.Field(at), &n.items[i], join(path, key)); err != nil {
			return err
		}
	}
	return nil
}

func join(path, key string) string {
	switch {
	case path == "":
		return key
	case key == "":
		return path
	}
	return path + "." + key
}

// shown returns a key that looks like the name of a field, so that a client finds
// its spelling mistake, and nothing for one that could be a value.
func shown(key string) string {
	if len(key) > 40 {
		return ""
	}
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && c != '_' {
			return ""
		}
	}
	return key
}

// layouts keeps the fields of each struct type by their names.
var layouts sync.Map // reflect.Type → map[string]int

func named(t reflect.Type) map[string]int {
	if m, ok := layouts.Load(t); ok {
		return m.(map[string]int)
	}
	m := make(map[string]int, t.NumField())
	for f := range t.Fields() {
		if name := tag(f); name != "" {
			m[name] = f.Index[0]
		}
	}
	layouts.Store(t, m)
	return m
}

func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" || !f.IsExported() {
		return ""
	}
	return name
}

// list names the fields of a contract in their order.
func list(t reflect.Type) string {
	var names []string
	for f := range t.Fields() {
		if name := tag(f); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
