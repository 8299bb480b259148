import com.cloudbees.groovy.cps.impl.CallSiteBlock
import com.cloudbees.groovy.cps.sandbox.DefaultInvoker
import com.cloudbees.groovy.cps.sandbox.Invoker
import com.cloudbees.groovy.cps.sandbox.Trusted

/**
 * What a library outside of the trusted ones may call: a small part of the list of Jenkins' script-security plugin (its
 * generic-whitelist), as far as this library needs it. A call that is new here must be looked up there first.
 */
class Sandbox implements Invoker {
    private static final Map<Class, Set<String>> ALLOWED = [
        (CharSequence): ['contains', 'matches', 'plus', 'replace', 'toLowerCase', 'toString'] as Set,
        (Collection)  : ['add', 'contains', 'each', 'collect', 'iterator', 'join', 'plus', 'size'] as Set,
        (Map)         : ['containsKey', 'keySet', 'putAll', 'subMap'] as Set,
        (Iterator)    : ['hasNext', 'next'] as Set,
        (Number)      : ['minus', 'plus'] as Set,
        (Closure)     : ['call'] as Set,
        (Throwable)   : ['getMessage'] as Set,
    ]

    Object methodCall(Object receiver, String method, Object[] arguments) {
        if (!ours(receiver) && !ALLOWED.any { type, names -> type.isInstance(receiver) && names.contains(method) }) {
            refuse("method ${kind(receiver)} ${method}")
        }
        return DefaultInvoker.INSTANCE.methodCall(receiver, method, arguments)
    }

    Object constructorCall(Class type, Object[] arguments) {
        refuse("new ${type.name}")
        return null
    }

    Object superCall(Class sender, Object receiver, String method, Object[] arguments) {
        refuse("super ${method}")
        return null
    }

    Object getProperty(Object receiver, String name) {
        if (!ours(receiver) && !(receiver instanceof Map)) {
            refuse("field ${kind(receiver)} ${name}")
        }
        return DefaultInvoker.INSTANCE.getProperty(receiver, name)
    }

    void setProperty(Object receiver, String name, Object value) {
        if (!ours(receiver) && !(receiver instanceof Map)) {
            refuse("field ${kind(receiver)} ${name}")
        }
        DefaultInvoker.INSTANCE.setProperty(receiver, name, value)
    }

    Object getAttribute(Object receiver, String name) {
        refuse("attribute ${name}")
        return null
    }

    void setAttribute(Object receiver, String name, Object value) { refuse("attribute ${name}") }

    Object getArray(Object receiver, Object index) { return DefaultInvoker.INSTANCE.getArray(receiver, index) }

    void setArray(Object receiver, Object index, Object value) {
        DefaultInvoker.INSTANCE.setArray(receiver, index, value)
    }

    Object methodPointer(Object receiver, String name) {
        refuse("pointer to ${name}")
        return null
    }

    Invoker contextualize(CallSiteBlock site) {
        return site.tags.contains(Trusted.INSTANCE) ? DefaultInvoker.INSTANCE : this
    }

    /** Says whether something is of the library or of the harness: what comes from neither is Groovy's or Java's. */
    private static boolean ours(Object receiver) {
        Class type = receiver instanceof Class ? receiver : receiver.getClass()
        return type.classLoader instanceof GroovyClassLoader || type.classLoader instanceof GroovyClassLoader.InnerLoader
    }

    private static String kind(Object receiver) {
        return receiver instanceof Class ? receiver.name : receiver.getClass().name
    }

    private static void refuse(String what) {
        throw new SecurityException("Scripts not permitted to use ${what}")
    }
}
