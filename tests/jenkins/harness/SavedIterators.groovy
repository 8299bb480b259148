import groovy.transform.CompileStatic

/**
 * Iterators that can be saved: Jenkins' pipeline engine has such a category too, so that a `for` over a list, or over
 * the keys of a map, may have steps in its body. Iterators of anything else cannot be saved, there as here.
 */
@CompileStatic
class SavedIterators {
    static Iterator iterator(List list) { return new Places(list) }

    static Set keySet(Map map) { return new LinkedHashSet(new ArrayList(map.keySet())) }

    static Iterator iterator(LinkedHashSet set) { return new Places(new ArrayList(set)) }

    @CompileStatic
    static class Places implements Iterator, Serializable {
        private final List list
        private int next = 0

        Places(List list) { this.list = list }

        boolean hasNext() { return next < list.size() }

        Object next() { return list.get(next++) }

        void remove() { throw new UnsupportedOperationException() }
    }
}
