// Package calleridentity lets requests through that the gateway vouches for, and tells who calls.
package calleridentity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Caller is who calls, as the gateway says it.
type Caller struct {
	Issuer      string   `json:"iss"`
	Audience    string   `json:"aud"`
	Subject     string   `json:"sub"`
	Kind        string   `json:"kind"` // person, service-account or token
	Workspace   string   `json:"workspace"`
	Server      string   `json:"server"`
	Provider    string   `json:"idp"`
	TokenIssuer string   `json:"token_issuer"`
	Name        string   `json:"name"`
	Email       string   `json:"email"`
	Groups      []string `json:"groups"`
	ExpiresAt   int64    `json:"exp"`
	Actor       struct {
		Subject string `json:"sub"`
	} `json:"act"`
}

type contextKey struct{}

// From tells who calls; nil outside of Require.
func From(ctx context.Context) *Caller {
	caller, _ := ctx.Value(contextKey{}).(*Caller)
	return caller
}

// Rules say whom to let through.
type Rules struct {
	Issuer   string // The URL of the gateway's control plane.
	Audience string // The origin of this upstream as the gateway has it, or the `audience` that is configured there.
	// Who may call; people and service accounts when nil. With tokens, look at TokenIssuer: their subjects are only as good as that.
	Kinds []string
	// Of the server at the gateway; any when empty.
	Workspace, Server string
}

func (rules Rules) expect(caller *Caller) bool {
	kinds := rules.Kinds
	if kinds == nil {
		kinds = []string{"person", "service-account"}
	}
	return caller.Issuer == rules.Issuer && caller.Audience == rules.Audience && caller.Subject != "" && slices.Contains(kinds, caller.Kind) &&
		(rules.Workspace == "" || caller.Workspace == rules.Workspace) && (rules.Server == "" || caller.Server == rules.Server)
}

// Require wraps a handler.
func Require(rules Rules, next http.Handler) http.Handler {
	keys := &keySet{url: strings.TrimSuffix(rules.Issuer, "/") + "/.well-known/jwks.json"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens := r.Header.Values("X-Caller")
		if len(tokens) == 1 {
			caller, err := verify(keys, tokens[0], time.Now())
			if err == nil && rules.expect(caller) {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, caller)))
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"no valid caller identity"}`)
	})
}

var errInvalid = errors.New("no valid caller identity")

func verify(keys *keySet, token string, now time.Time) (*Caller, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errInvalid
	}
	var header struct {
		Algorithm string   `json:"alg"`
		Type      string   `json:"typ"`
		KeyID     string   `json:"kid"`
		Critical  []string `json:"crit"`
	}
	var caller Caller
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 || decode(parts[0], &header) != nil || decode(parts[1], &caller) != nil {
		return nil, errInvalid
	}
	if header.Algorithm != "ES256" || header.Type != "caller-identity+jwt" || header.Critical != nil || caller.ExpiresAt <= now.Unix() {
		return nil, errInvalid
	}
	key, err := keys.find(header.KeyID, now)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil, errInvalid
	}
	return &caller, nil
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

type jwk struct {
	KeyType string `json:"kty"`
	Curve   string `json:"crv"`
	KeyID   string `json:"kid"`
	X       string `json:"x"`
	Y       string `json:"y"`
}

// keySet keeps the gateway's keys for five minutes, reads them again for one that it does not have, and asks every five seconds at
// most. While the gateway does not answer, the keys that there are go on being good.
type keySet struct {
	url             string
	mutex           sync.Mutex
	keys            []jwk
	readAt, askedAt time.Time
}

func (set *keySet) find(id string, now time.Time) (*ecdsa.PublicKey, error) {
	set.mutex.Lock()
	defer set.mutex.Unlock()
	known := func(key jwk) bool { return key.KeyID == id }
	isDue := now.Sub(set.readAt) > 5*time.Minute || !slices.ContainsFunc(set.keys, known)
	if isDue && now.Sub(set.askedAt) > 5*time.Second {
		set.askedAt = now
		if keys, err := fetch(set.url); err == nil {
			set.keys, set.readAt = keys, now
		} else if set.keys == nil {
			return nil, err
		}
	}
	index := slices.IndexFunc(set.keys, known)
	if index == -1 {
		return nil, errInvalid
	}
	return set.keys[index].public()
}

func fetch(url string) ([]jwk, error) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New("the gateway's keys cannot be read: " + response.Status)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&set)
	return set.Keys, err
}

func (key jwk) public() (*ecdsa.PublicKey, error) {
	x, errX := base64.RawURLEncoding.DecodeString(key.X)
	y, errY := base64.RawURLEncoding.DecodeString(key.Y)
	if key.KeyType != "EC" || key.Curve != "P-256" || errX != nil || errY != nil {
		return nil, errInvalid
	}
	public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
	if _, err := public.ECDH(); err != nil {
		return nil, err // Not a point of the curve.
	}
	return public, nil
}
